/**
 * Reads the Wycheproof vectors in the folder next to the repository, and counts those that were run.
 * @see https://github.com/C2SP/wycheproof
 * @module
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { test } from 'node:test'

const folder = join(import.meta.dirname, '..', '..', '..', '..', 'shared', 'vectors', 'wycheproof')

/** A test or a group. Members are strings except those that a file's type names. */
export type Fields = Readonly<Record<string, unknown>>

export interface Vector {
  readonly id: number
  readonly result: 'valid' | 'acceptable' | 'invalid'
  readonly flags: readonly string[]
  readonly group: Fields
  readonly fields: Fields
}

/** Runs `check` for each vector; it says what happened, and the counts are printed. */
export function testVectors(
  file: string,
  count: number,
  check: (vector: Vector) => 'accepted' | 'refused' | 'not applicable',
): void {
  const path = join(folder, `${file}_test.json`)
  const skip = existsSync(path) ? false : `no vectors at ${path}`
  test(`Wycheproof ${file}: valid is accepted, invalid refused`, { skip }, (t) => {
    runVectors(t, readVectors(path), count, check)
  })
}

function runVectors(
  t: TestContext,
  vectors: readonly Vector[],
  count: number,
  check: (vector: Vector) => 'accepted' | 'refused' | 'not applicable',
): void {
  const seen = new Map<string, number>()
  for (const vector of vectors) {
    const outcome = check(vector)
    if (outcome !== 'not applicable' && vector.result !== 'acceptable') {
      const wanted = vector.result === 'valid' ? 'accepted' : 'refused'
      assert.equal(outcome, wanted, `vector ${vector.id}: ${JSON.stringify(vector.fields)}`)
    }
    const line = `${vector.result} ${outcome}`
    seen.set(line, (seen.get(line) ?? 0) + 1)
  }
  t.diagnostic([...seen].map(([line, times]) => `${times} ${line}`).join(', '))
  assert.equal(
    vectors.length,
    count,
    'the file has as many vectors as when it was read for this test',
  )
}

function readVectors(path: string): readonly Vector[] {
  const file = JSON.parse(readFileSync(path, 'utf8')) as { testGroups: readonly Group[] }
  return file.testGroups.flatMap((group) =>
    group.tests.map((each) => ({
      id: each.tcId,
      result: each.result,
      flags: each.flags ?? [],
      group: group as unknown as Fields,
      fields: each as unknown as Fields,
    })),
  )
}

interface Group {
  readonly tests: readonly {
    readonly tcId: number
    readonly result: Vector['result']
    readonly flags?: readonly string[]
  }[]
}

/** A member that holds hexadecimal bytes; empty where it is absent. */
export function bytes(fields: Fields, name: string): Buffer {
  const value = fields[name] ?? ''
  assert(typeof value === 'string')
  return Buffer.from(value, 'hex')
}
