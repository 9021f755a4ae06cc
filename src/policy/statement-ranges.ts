/** Finds the range of each statement in a policy's text, for people who look it up there. @module */

export interface TextPosition {
  /** Both count from 1. */
  readonly line: number
  readonly column: number
}

export interface StatementRange {
  readonly start: TextPosition
  /** The position after the last character. */
  readonly end: TextPosition
}

/**
 * The ranges of the statements of a policy that was read, in order. It follows only the structure: the
 * text is known to be JSON with a `Statement` at the top.
 */
export function statementRanges(text: string): readonly StatementRange[] {
  const ranges: StatementRange[] = []
  let depth = 0
  let name: string | undefined
  /** Inside the value of `Statement`: the depth of its objects. */
  let statementDepth: number | undefined
  let start: TextPosition | undefined
  const positionAt = positionsIn(text)
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at]
    if (character === '"') {
      const end = endOfString(text, at)
      if (depth === 1) name = isName(text, end + 1) ? text.slice(at + 1, end) : name
      at = end
    } else if (character === '{' || character === '[') {
      if (depth === 1 && name === 'Statement') statementDepth = character === '{' ? 1 : 2
      if (character === '{' && depth === statementDepth) start = positionAt(at)
      depth += 1
    } else if (character === '}' || character === ']') {
      depth -= 1
      if (start !== undefined && character === '}' && depth === statementDepth) {
        ranges.push({ start, end: positionAt(at + 1) })
        start = undefined
      }
      if (depth === 1) statementDepth = undefined
    }
  }
  return ranges
}

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1
    else if (text[at] === '"') return at
  }
  return text.length
}

function isName(text: string, from: number): boolean {
  return /^\s*:/.test(text.slice(from, from + 64))
}

/** Converts offsets to positions. Offsets must ascend, so that the text is read once. */
function positionsIn(text: string): (at: number) => TextPosition {
  let line = 1
  let lineStart = 0
  return (at) => {
    for (;;) {
      const end = text.indexOf('\n', lineStart)
      if (end === -1 || end >= at) return { line, column: at - lineStart + 1 }
      line += 1
      lineStart = end + 1
    }
  }
}
