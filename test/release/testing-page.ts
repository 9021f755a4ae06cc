/** What docs/testing.md shows, for the tests that run it. @module */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../start/serve-process.ts'

/** A block of code of the page, by what it contains. */
export function testingPageBlock(language: string, holding: string): string {
  const page = readFileSync(join(root, 'docs', 'testing.md'), 'utf8')
  const blocks = [...page.matchAll(/^```(\w+)\n(.*?)^```$/gms)]
  const found = blocks.find(([, of, text]) => of === language && text?.includes(holding) === true)
  assert(found?.[2], `a block of ${language} with ${holding}`)
  return found[2]
}
