/** What an external key store answers when its proxy fails: the specification's sentences. @module */
import { readFileSync } from 'node:fs'

/** By the kind of failure. */
export const said = JSON.parse(
  readFileSync(new URL('../vectors/xks-error-sentences.json', import.meta.url), 'utf8'),
) as Readonly<Record<string, string>>
