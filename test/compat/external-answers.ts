/** What an external key store answers: the specification's sentences, and late answers. @module */
import { readFileSync } from 'node:fs'

/** The specification's sentence for each kind of failure. */
export const said = JSON.parse(
  readFileSync(new URL('../vectors/xks-error-sentences.json', import.meta.url), 'utf8'),
) as Readonly<Record<string, string>>

/** Asks again after a late answer: a proxy in the same process may need more than its 250 ms. */
export async function patiently<T>(call: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call()
    } catch (error) {
      const isLate = error instanceof Error && error.message.includes('did not respond')
      if (!isLate || attempt === 5) throw error
    }
  }
}
