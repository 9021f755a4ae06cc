/** Pages of the documentation whose lines tests run as they stand there. @module */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Page {
  /** The lines of the block that begins with this text, without those that are not run. Each is taken once. */
  readonly take: (start: string) => readonly string[]
  /** The lines that nobody took, and that are not among those that are not run. */
  readonly left: () => readonly string[]
}

/**
 * @param file from the root of the repository
 * @param notRun lines that no test runs, each with the reason
 */
export function pageOf(file: string, notRun: Readonly<Record<string, string>> = {}): Page {
  const text = readFileSync(join(import.meta.dirname, '..', file), 'utf8')
  const blocks = text
    .split(/\n(?! {4})/)
    .map((part) => part.split('\n').flatMap((line) => (/^ {4}/.test(line) ? [line.slice(4)] : [])))
    .filter((lines) => lines.length > 0)
  const lines = blocks.flat()
  for (const line of Object.keys(notRun)) assert.ok(lines.includes(line), `${file} has ${line}`)
  const isRun = (line: string): boolean => !Object.hasOwn(notRun, line)
  const untaken = new Set(blocks)
  return {
    take(start) {
      const found = [...untaken].filter((block) => block.join('\n').startsWith(start))
      const [block = []] = found
      assert.equal(found.length, 1, `${file} has ${found.length} blocks that begin with ${start}`)
      untaken.delete(block)
      return block.filter(isRun)
    },
    left: () => [...untaken].flat().filter(isRun),
  }
}
