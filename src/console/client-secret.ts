/**
 * The secret of the console's client at an identity provider, in a file that only the server's user reads.
 *
 * INVARIANT (client secret): it goes to the token endpoint of its provider and nowhere else. No message, log
 * or answer holds it.
 * @see docs/adr/0049-console-sign-in.md
 * @module
 */
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { codeOf } from '../disk/error-code.ts'
import { isPrivate } from '../disk/private.ts'
import type { SignInProvider } from './setting.ts'

const charactersMax = 512
/** Visible characters of ASCII and spaces, as in appendix A.2 of RFC 6749, and one line break. */
const form = /^([\x20-\x7e]{1,512})(?:\r?\n)?$/

/** @param file path. The reason names it, and nothing that is in it. */
export async function readClientSecret(
  file: string,
): Promise<{ readonly secret: Uint8Array } | { readonly why: string }> {
  try {
    // A pipe without a writer would hold up the server.
    const opened = await open(file, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      const found = await opened.stat()
      if (!found.isFile()) return { why: `${file} is not a file` }
      if (!isPrivate(found)) return { why: `${file} is open to other users: chmod 600 it` }
      const room = Buffer.alloc(charactersMax + 3)
      const { bytesRead } = await opened.read(room, 0, room.length, 0)
      const [, secret] = form.exec(room.toString('latin1', 0, bytesRead)) ?? []
      if (secret !== undefined) return { secret: Buffer.from(secret, 'latin1') }
      const wanted = `one line of 1 to ${charactersMax} printable characters`
      return { why: `${file} is not a client secret: ${wanted}` }
    } finally {
      await opened.close()
    }
  } catch (error) {
    return { why: `${file} cannot be read: ${codeOf(error) ?? 'no reason'}` }
  }
}

/** What is wrong with the secrets of these providers, one sentence each. */
export async function wrongClientSecrets(
  providers: readonly SignInProvider[],
): Promise<readonly string[]> {
  const wrong: string[] = []
  for (const { name, secretFile } of providers) {
    if (secretFile === undefined) continue
    const read = await readClientSecret(secretFile)
    if ('why' in read)
      wrong.push(`TRENT_CONSOLE_SIGN_IN: the client secret of ${name}: ${read.why}`)
  }
  return wrong
}
