/** The name that somebody probably meant. @module */

/**
 * The known name with the fewest typing mistakes, if they are few for its length.
 * @param known in the order of preference
 */
export function nearest(name: string, known: readonly string[]): string | undefined {
  if (name.length > lengthMax) return undefined
  let best: { readonly known: string; readonly mistakes: number } | undefined
  for (const each of known) {
    const mistakes = mistakesBetween(name.toLowerCase(), each.toLowerCase())
    const few = Math.max(2, Math.floor(each.length / 4))
    const isNear = mistakes <= few && mistakes < each.length / 2
    if (isNear && mistakes < (best?.mistakes ?? Infinity)) best = { known: each, mistakes }
  }
  return best?.known
}

/** The comparison takes the product of two lengths. */
const lengthMax = 100

/** Letters to insert, leave out, replace, or exchange with their neighbour. */
function mistakesBetween(one: string, other: string): number {
  const ofEmpty = (length: number): number[] => Array.from({ length: length + 1 }, (_, n) => n)
  let before: readonly number[] = []
  let above: readonly number[] = ofEmpty(other.length)
  for (let row = 1; row <= one.length; row += 1) {
    const line = [row]
    for (let column = 1; column <= other.length; column += 1) {
      const differs = one[row - 1] === other[column - 1] ? 0 : 1
      const at = (numbers: readonly number[], index: number): number => numbers[index] ?? Infinity
      const ways = [
        at(above, column) + 1,
        at(line, column - 1) + 1,
        at(above, column - 1) + differs,
      ]
      if (one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1]) {
        ways.push(at(before, column - 2) + 1)
      }
      line.push(Math.min(...ways))
    }
    before = above
    above = line
  }
  return above[other.length] ?? 0
}
