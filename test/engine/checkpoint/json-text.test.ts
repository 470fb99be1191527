import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { withTopLevelText } from "../../../src/engine/checkpoint/json-text.js";

describe("withTopLevelText", () => {
  it("changes the value of the key at the top, and nothing else", () => {
    const text = '{ "a": {"k": "in"}, "b": ["k", 8.0, "k:"],\n\t"k": null, "c": 1e-05 }\n';
    expect(withTopLevelText(text, "k", "new")).toBe(text.replace("null", '"new"'));
    expect(withTopLevelText('{"k":"a\\"}:{","x":"k"}', "k", "b")).toBe('{"k":"b","x":"k"}');
    expect(withTopLevelText('{"x":2.0}', "k", "b")).toBe('{\n  "k": "b","x":2.0}');
    expect(withTopLevelText("{ }", "k", "b")).toBe('{\n  "k": "b" }');
  });

  it("gives what parsing, setting and writing gives, for any object", () => {
    const value = fc.oneof(fc.string(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constant(null));
    const object = fc.dictionary(
      fc.oneof(fc.constantFrom("k", "x"), fc.string()),
      fc.oneof(value, fc.array(value), fc.dictionary(fc.constantFrom("k", "y"), value)),
    );
    fc.assert(
      fc.property(object, fc.string(), fc.constantFrom(0, 2), (json, text, indent) => {
        const { k } = json;
        if (typeof k === "object" && k !== null) return;
        const changed = withTopLevelText(JSON.stringify(json, null, indent), "k", text);
        expect(JSON.parse(changed)).toEqual(JSON.parse(JSON.stringify({ ...json, k: text })));
      }),
    );
  });
});
