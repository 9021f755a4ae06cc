/** Checkpoints that are known outside the journal: what shows that it was not cut before them. @module */
import { readFileSync } from 'node:fs'
import type { KnownCheckpoint } from '../audit/verify/prove-journal.ts'
import { ConfigError } from '../config.ts'

/**
 * Those that a file holds, each as `{"text": …, "signature": …}` somewhere in its JSON texts: what
 * `trent status --json` told, one answer or many, or digest files.
 * @throws {ConfigError}
 */
export function checkpointsOfFile(path: string): readonly KnownCheckpoint[] {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    throw new ConfigError(`${path} cannot be read`, { cause })
  }
  const found = jsonTexts(text).flatMap((value) => checkpointsIn(value, path))
  if (found.length === 0) throw new ConfigError(`${path} holds no checkpoint`)
  return found
}

/** The whole text, or else each of its lines. */
function jsonTexts(text: string): readonly unknown[] {
  const whole = parsed(text)
  return whole === undefined ? text.split('\n').flatMap((line) => parsed(line) ?? []) : [whole]
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export function checkpointsIn(value: unknown, from: string): readonly KnownCheckpoint[] {
  if (typeof value !== 'object' || value === null) return []
  if ('text' in value && 'signature' in value) {
    const { text, signature } = value
    if (typeof text === 'string' && typeof signature === 'string') {
      return [{ text, signature: Buffer.from(signature, 'base64'), from }]
    }
  }
  return Object.values(value).flatMap((each) => checkpointsIn(each, from))
}
