/**
 * A secret that only one TPM opens, as tpm2-tools make and open it.
 *
 *     primary key  ECC P-256, derived from the seed of the storage hierarchy
 *      └─ lock     a storage key with the authorization value, only if there is one
 *          └─ data the sealed data object, with a PCR policy if there is one
 *
 * The session that carries the secret is encrypted to the primary key. The name of that key is stored, so
 * that a device between the processor and the TPM can neither read nor stand in for it.
 * @see https://trustedcomputinggroup.org/resource/tpm-library-specification/
 * @module
 */
import type { FileHandle } from 'node:fs/promises'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SealRefused } from './seal.ts'
import { authFile, sessionFile, type Tpm } from './tpm2-tools.ts'

/** An object that a TPM made: its public area, and its private area as the TPM encrypted it. */
export interface TpmObject {
  readonly public: Uint8Array
  readonly private: Uint8Array
}

/** A secret that one TPM encrypted. */
export interface Sealed extends TpmObject {
  /** The name of the primary key, hexadecimal: an algorithm and a hash of its public area. */
  readonly primary: string
  readonly pcrs: readonly number[]
  /** The key that asks for the authorization value. */
  readonly lock?: TpmObject
}

const storageKey = 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|decrypt'
const dataObject = 'fixedtpm|fixedparent|noda'

/**
 * Has the TPM encrypt a secret, under the PCRs of this moment and the authorization value of an open file.
 * @param secret up to 128 bytes
 * @throws {TpmError}
 */
export async function sealInto(
  tpm: Tpm,
  secret: Uint8Array,
  pcrs: readonly number[],
  auth: FileHandle | undefined,
): Promise<Sealed> {
  const primary = await makePrimary(tpm)
  const lock = auth === undefined ? undefined : await makeLock(tpm, auth)
  if (pcrs.length > 0) {
    await inSession(tpm, trial, (session) => tpm.run(`${underPcrs(session, pcrs)} -L policy`))
  }
  const access = pcrs.length > 0 ? `-a ${dataObject} -L policy` : `-a ${dataObject}|userwithauth`
  await inSession(tpm, encryptedInput, (session) =>
    tpm.run(`create -Q ${parentOf(lock)} -S ${session} -i- ${access} -u data.pub -r data.priv`, {
      input: secret,
      ...(auth && { file: auth }),
    }),
  )
  return { primary, pcrs, ...(await readObject(tpm, 'data')), ...(lock && { lock }) }
}

/**
 * Has the TPM decrypt it. The caller overwrites the result.
 * @throws {TpmError}
 * @throws {SealRefused} when it is another TPM
 */
export async function unsealed(
  tpm: Tpm,
  sealed: Sealed,
  auth: FileHandle | undefined,
): Promise<Uint8Array> {
  const { primary, pcrs, lock } = sealed
  if ((await makePrimary(tpm)) !== primary) {
    throw new SealRefused(
      'the root key was sealed by another TPM, or this TPM was cleared since: its primary key is another one',
    )
  }
  if (lock !== undefined) await load(tpm, 'lock', lock, parentOf(undefined))
  await load(tpm, 'data', sealed, parentOf(lock), auth)
  const encryptedOutput = {
    type: pcrs.length > 0 ? 'policy' : 'hmac',
    encrypts: 'encrypt',
  } as const
  return inSession(tpm, encryptedOutput, async (session) => {
    if (pcrs.length > 0) await tpm.run(underPcrs(session, pcrs))
    return tpm.run(`unseal -c data -p session:${session}`)
  })
}

/** Derives the primary key, and returns its name. */
async function makePrimary(tpm: Tpm): Promise<string> {
  await tpm.run(`createprimary -Q -C o -G ecc -a ${storageKey}|noda -c primary`)
  await tpm.run('readpublic -Q -c primary -n primary.name')
  return (await readFile(join(tpm.folder, 'primary.name'))).toString('hex')
}

/** Unlike the other objects, this one counts wrong values, and the TPM locks after some of them. */
async function makeLock(tpm: Tpm, auth: FileHandle): Promise<TpmObject> {
  await inSession(tpm, encryptedInput, (session) =>
    tpm.run(
      `create -Q -C primary -S ${session} -G ecc256:aes128cfb -a ${storageKey} -p ${authFile} ` +
        '-u lock.pub -r lock.priv',
      { file: auth },
    ),
  )
  const made = await readObject(tpm, 'lock')
  await load(tpm, 'lock', made, parentOf(undefined))
  return made
}

const parentOf = (lock: TpmObject | undefined): string =>
  lock === undefined ? '-C primary' : `-C lock -P ${authFile}`

const underPcrs = (session: string, pcrs: readonly number[]): string =>
  `policypcr -Q -S ${session} -l sha256:${pcrs.join(',')}`

interface SessionWanted {
  readonly type: 'trial' | 'hmac' | 'policy'
  /** Which side's first parameter is encrypted, in the words of the tools: the TPM encrypts its answer. */
  readonly encrypts?: 'encrypt' | 'decrypt'
}

const trial = { type: 'trial' } as const
const encryptedInput = { type: 'hmac', encrypts: 'decrypt' } as const

/** A session is a place in the TPM, of which there are few, so it always ends. */
async function inSession<T>(
  tpm: Tpm,
  { type, encrypts }: SessionWanted,
  use: (session: string) => Promise<T>,
): Promise<T> {
  const session = sessionFile
  // Its key is encrypted to the primary key: only the TPM of that key knows it.
  const salted = encrypts === undefined ? '' : ' --tpmkey-context primary'
  const kindOf = type === 'trial' ? '' : ` --${type}-session`
  await tpm.run(`startauthsession -S ${session}${kindOf}${salted}`)
  try {
    if (encrypts !== undefined) await tpm.run(`sessionconfig ${session} --enable-${encrypts}`)
    return await use(session)
  } finally {
    await tpm.run(`flushcontext ${session}`).catch(() => undefined)
  }
}

async function load(
  tpm: Tpm,
  name: 'data' | 'lock',
  object: TpmObject,
  parent: string,
  auth?: FileHandle,
): Promise<void> {
  await writeFile(join(tpm.folder, `${name}.pub`), object.public)
  await writeFile(join(tpm.folder, `${name}.priv`), object.private)
  const given = auth && { file: auth }
  await tpm.run(`load -Q ${parent} -u ${name}.pub -r ${name}.priv -c ${name}`, given)
}

async function readObject(tpm: Tpm, name: 'data' | 'lock'): Promise<TpmObject> {
  return {
    public: await readFile(join(tpm.folder, `${name}.pub`)),
    private: await readFile(join(tpm.folder, `${name}.priv`)),
  }
}
