/** Seeds of the property tests: printed, and fixed again by `TRENT_TEST_SEED`. @module */

/** A seed for fast-check, printed so that a failure can be run again. */
export function printedSeed(name: string): number {
  const given = Number.parseInt(process.env['TRENT_TEST_SEED'] ?? '', 10)
  const seed = Number.isNaN(given) ? Math.trunc(Math.random() * 0x7fffffff) : given
  console.log(`${name}: seed ${seed}`)
  return seed
}
