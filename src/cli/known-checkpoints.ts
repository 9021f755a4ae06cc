/**
 * Reads checkpoints that were kept outside the journal. They show whether the journal was truncated
 * before them.
 * @module
 */
import { readFileSync } from 'node:fs'
import type { KnownCheckpoint } from '../audit/verify/prove-journal.ts'
import { ConfigError } from '../config.ts'

/**
 * The checkpoints in a file, each as `{"text": …, "signature": …}` anywhere in its JSON texts: one or
 * more answers of `trent status --json`, or digest files.
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

/** Parses the whole text or, when that fails, each of its lines. */
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
