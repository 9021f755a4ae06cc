/**
 * Logs in to the cluster of a key store, and changes the password of `kmsuser` where the settings allow it.
 *
 * INVARIANT (a known password): the row has every password that the HSM may have. A new password is in
 * the row before the HSM gets it. The old one leaves the row only after the HSM has proved that it has the
 * new one. A change that was begun is finished with the same new password, by whichever node continues it,
 * so that two nodes at once cannot lose it.
 * @module
 */
import type { UserPasswords } from '../../crypto/key-store-secret.ts'
import type { Random } from '../../model/clock.ts'
import type { TokenFacts } from '../../pkcs11/token-calls.ts'
import { TokenError } from '../../pkcs11/token-error.ts'
import type { Token } from '../../pkcs11/token.ts'

interface Steps {
  readonly passwords: UserPasswords
  readonly rotatesPin: boolean
  readonly random: Pick<Random, 'bytes'>
  readonly open: (password: Uint8Array) => Token
  /** The PIN with a password. */
  readonly pinOf: (password: Uint8Array) => Uint8Array
  /** Stores both passwords, before the HSM gets the new one. */
  readonly begin: (passwords: Required<UserPasswords>) => Promise<void>
}

/** Returns the password that the HSM has. @throws {TokenError} */
export async function connectCluster(steps: Steps): Promise<Uint8Array> {
  const { passwords, rotatesPin, random, open, pinOf, begin } = steps
  const { current } = passwords
  const holder = await logIn(open, current).catch((error: unknown) => {
    const isWrong = error instanceof TokenError && error.code === 'CKR_PIN_INCORRECT'
    if (passwords.next === undefined || !isWrong) throw error
    return undefined
  })
  if (holder === undefined) return proved(open, passwords.next ?? current)
  const { token, facts } = holder
  const next =
    passwords.next ??
    (rotatesPin ? newPassword(facts, pinOf(new Uint8Array()).length, random) : undefined)
  try {
    if (next === undefined) return current
    if (passwords.next === undefined) await begin({ current, next })
    await token.setPin(pinOf(next))
  } catch (error) {
    // Another node has finished the same change meanwhile.
    if (!(error instanceof TokenError && error.code === 'CKR_PIN_INCORRECT')) throw error
  } finally {
    token.close()
  }
  return proved(open, next ?? current)
}

/** Returns the password once the HSM has accepted it. */
async function proved(open: Steps['open'], password: Uint8Array): Promise<Uint8Array> {
  const { token } = await logIn(open, password)
  token.close()
  return password
}

async function logIn(
  open: Steps['open'],
  password: Uint8Array,
): Promise<{ readonly token: Token; readonly facts: TokenFacts }> {
  const token = open(password)
  try {
    return { token, facts: await token.facts() }
  } catch (error) {
    token.close()
    throw error
  }
}

/** AWS's limits of the password of a key store. */
const charactersMin = 7
const charactersMax = 32
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** A random password of the greatest length that the token and AWS allow, 6 bits for each character. */
function newPassword(
  { pinBytesMin, pinBytesMax }: TokenFacts,
  prefixBytes: number,
  random: Pick<Random, 'bytes'>,
): Uint8Array {
  const length = Math.min(charactersMax, pinBytesMax - prefixBytes)
  if (length < Math.max(charactersMin, pinBytesMin - prefixBytes)) {
    const message = `the token takes no password of ${charactersMin} to ${charactersMax} characters`
    throw new TokenError('CKR_PIN_LEN_RANGE', message)
  }
  return Uint8Array.from(random.bytes(length), (byte) => alphabet.charCodeAt(byte % 64))
}
