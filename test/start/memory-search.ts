/** Looks for secrets in what a process writes of its memory, and in the memory itself. @module */
import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { realRandom } from '../crypto/fixed.ts'

/** Secrets by what they are. */
export type Secrets = ReadonlyMap<string, Uint8Array>

export const textSecret = (name: string): string => `${name}-${realRandom.uuid()}`

/** Texts and bytes that stand for these bytes. The last digits of base64 depend on what follows. */
function formsOf(secret: Uint8Array): readonly Buffer[] {
  const bytes = Buffer.from(secret)
  const hex = bytes.toString('hex')
  const texts = (['base64', 'base64url'] as const).map((each) => bytes.toString(each).slice(0, -4))
  return [bytes, ...new Set([hex, hex.toUpperCase(), ...texts])].map((form) => Buffer.from(form))
}

const hashBits = 20
const hashOf = (four: number): number => Math.imul(four, 0x9e3779b1) >>> (32 - hashBits)

/** The names of the secrets that are in these bytes, which are read once however many secrets there are. */
export function foundIn(image: Buffer, secrets: Secrets): readonly string[] {
  const forms = [...secrets].flatMap(([name, secret]) =>
    formsOf(secret).map((form) => ({ name, form })),
  )
  const byStart = Map.groupBy(forms, ({ form }) => form.readInt32LE())
  const starts = new Uint8Array(1 << hashBits)
  for (const start of byStart.keys()) starts[hashOf(start)] = 1
  const found = new Set<string>()
  let four = 0
  for (let end = 0; end < image.length; end += 1) {
    four = (four >>> 8) | ((image[end] ?? 0) << 24)
    if (starts[hashOf(four)] === 0) continue
    const at = end - 3
    for (const { name, form } of byStart.get(four) ?? []) {
      if (at >= 0 && image.subarray(at, at + form.length).equals(form)) found.add(name)
    }
  }
  return [...secrets.keys()].filter((name) => found.has(name))
}

/** All memory that a process has written, as a core dump has it. */
export function* memoryOf(pid: number): Generator<Buffer> {
  const mappings = readFileSync(`/proc/${pid}/smaps`, 'utf8').split(/\n(?=[0-9a-f]+-)/)
  const memory = openSync(`/proc/${pid}/mem`, 'r')
  try {
    for (const mapping of mappings) {
      const [, from = '', to = ''] = /^([0-9a-f]+)-([0-9a-f]+) r/.exec(mapping) ?? []
      const size = Number.parseInt(to, 16) - Number.parseInt(from, 16)
      if (Number.isNaN(size) || !/^Private_Dirty: +[1-9]/m.test(mapping)) continue
      const bytes = Buffer.allocUnsafeSlow(size)
      let read = 0
      try {
        read = readSync(memory, bytes, 0, size, Number.parseInt(from, 16))
      } catch {
        continue
      }
      yield bytes.subarray(0, read)
    }
  } finally {
    closeSync(memory)
  }
}

export function foundInMemory(pid: number, secrets: Secrets): readonly string[] {
  const found = new Set<string>()
  for (const part of memoryOf(pid)) for (const name of foundIn(part, secrets)) found.add(name)
  return [...found].toSorted()
}

/** The file that a signal makes a process write, once it is whole. */
export async function newFile(folder: string, pattern: RegExp): Promise<Buffer> {
  let before = 0
  for (let tries = 0; tries < 600; tries += 1) {
    const name = readdirSync(folder).find((each) => pattern.test(each))
    const bytes = name === undefined ? Buffer.alloc(0) : readFileSync(join(folder, name))
    // Both formats end with a bracket of JSON when they are complete, and so may a part of one.
    const isEnd = bytes.subarray(-4).toString().trimEnd().endsWith('}')
    if (isEnd && bytes.length === before) return bytes
    before = bytes.length
    await delay(100)
  }
  throw new Error(`no file ${pattern}`)
}
