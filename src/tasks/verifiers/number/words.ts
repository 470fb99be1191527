/** The words that a reader of numbers must know. All in lower case. */

function wordSet(words: string): ReadonlySet<string> {
  return new Set(words.split(/\s+/));
}

/** Multiply the number before them. "Dozen" is left out: "3 dozen" answers "how many dozen?" as well. */
export const SCALES: Readonly<Record<string, bigint>> = {
  hundred: 100n,
  thousand: 1_000n,
  million: 1_000_000n,
  mln: 1_000_000n,
  mn: 1_000_000n,
  billion: 1_000_000_000n,
  bn: 1_000_000_000n,
  trillion: 1_000_000_000_000n,
  lakh: 100_000n,
  crore: 10_000_000n,
};

/** Multiply an amount of money: `$3M`. Elsewhere such a letter may be a unit or a variable. */
export const MONEY_SCALES: Readonly<Record<string, bigint>> = {
  k: 1_000n,
  m: 1_000_000n,
  mm: 1_000_000n,
  b: 1_000_000_000n,
  t: 1_000_000_000_000n,
};

/** Units of one letter, as they are written; every other letter on its own may be a variable. */
export const UNIT_LETTERS = wordSet("m g l L s h W V J F C A N");

/** Short units. Other words of at most three letters that are written onto a number (`2ab`) are none. */
export const SHORT_UNITS = wordSet(
  `mm cm dm km nm mi yd ft in mg kg lb lbs oz ml cl dl gal pt qt cc hr hrs min sec ms am pm mph kph kmh fps rpm bps hz khz mhz ghz kw kwh mw
   kb mb gb tb kj cal pa kpa mol bar psi px usd eur gbp jpy cny inr cad aud chf sq cu pcs pc day box bag cup jar can car cat dog egg hen cow pig
   man men boy toy pen pie bus bed ant bee key lot set row wk wks mo mos yr yrs deg rad`,
);

/** Units that are said with a smaller one behind them: the two values of `1 hour 30 minutes` are one quantity. */
export const COMPOUND_UNITS = wordSet(
  `h hr hrs hour hours m min mins minute minutes s sec secs second seconds day days week weeks month months year years foot feet ft inch inches in
   yard yards mile miles pound pounds lb lbs stone ounce ounces oz gallon gallons quart quarts pint pints meter meters metre metres km kg
   kilometer kilometers kilogram kilograms gram grams cm dollar dollars euro euros cent cents quarter quarters dime dimes nickel nickels penny
   pennies degree degrees`,
);

const SMALL_NUMBERS = `two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen
   twenty thirty forty fifty sixty seventy eighty ninety hundred hundreds thousand thousands million millions billion billions trillion trillions
   lakh lakhs crore crores dozens`;
const PARTS =
  "half halves third thirds fourths fifth fifths sixth sixths sevenths eighths ninths tenth tenths hundredth hundredths";
const CALCULATIONS = `plus minus twice thrice double triple divided multiplied factorial modulo mod choose pi sqrt root log ln exp sin cos tan
   cot sec infinity power exponent`;
const ALTERNATIVES = "or nor either versus vs otherwise else alternatively unless depending";
const DENIALS = "wrong incorrect false impossible undefined";

/**
 * After a value, these state a further one, change it or take it back. `sec` is a unit and a function; after a number
 * it is the unit.
 */
export const REFUSED: ReadonlySet<string> = new Set(
  [...wordSet([SMALL_NUMBERS, PARTS, CALCULATIONS, ALTERNATIVES, DENIALS].join(" "))].filter((word) => word !== "sec"),
);

/** Before the last number of a text, these make it a part of something that was not worked out, or a limit. */
export const OPERATION_BEFORE = wordSet(
  `plus minus times over sqrt root log ln exp sin cos tan twice thrice double triple half than least most under below mod modulo
   power squared cubed square cube factorial sum product difference quotient ratio percent`,
);
