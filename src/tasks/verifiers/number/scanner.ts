/** A place in a text that moves forward over what is read. */
export class Scanner {
  readonly text: string;
  at: number;

  constructor(text: string, at = 0) {
    this.text = text;
    this.at = at;
  }

  get ended(): boolean {
    return this.at >= this.text.length;
  }

  /** The characters before and after the place; empty at the text's ends. */
  get before(): string {
    return this.text.charAt(this.at - 1);
  }

  get next(): string {
    return this.text.charAt(this.at);
  }

  /** Whether a sticky pattern matches here; nothing is taken. */
  sees(pattern: RegExp): boolean {
    pattern.lastIndex = this.at;
    return pattern.test(this.text);
  }

  /** Takes what a sticky pattern matches here; null, and nothing is taken, where it does not match. */
  take(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.text);
    if (match !== null) this.at += match[0].length;
    return match;
  }
}
