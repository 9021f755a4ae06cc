/**
 * The seal by the TPM of this machine. The TPM encrypts the seal's key under its storage hierarchy, and the
 * record holds the result, so that no other TPM opens it. It can also ask for an authorization value, and for
 * the PCRs of the time of the sealing. The TPM sees the seal's key, and never the root key.
 * @module
 */
import type { FileHandle } from 'node:fs/promises'
import { takeSecretKey } from '../crypto/derive.ts'
import type { Random } from '../model/clock.ts'
import { openPrivateFile } from './private-file.ts'
import { SealRefused, SealStopped, SealUnavailable, unattended, type Seal } from './seal.ts'
import {
  damaged,
  openRecord,
  readHeader,
  sealKeyBytes,
  sealUnderNewKey,
  type Header,
} from './sealed-record.ts'
import { sealInto, unsealed, type Sealed, type TpmObject } from './tpm2-objects.ts'
import { TpmError, useTpm, type Tpm } from './tpm2-tools.ts'

const kind = 'tpm2'
const objectBytesMax = 2048
const pcrMax = 23
const tctiDefault = 'device:/dev/tpmrm0'
const callMsDefault = 10_000
/** A TPM takes values up to the size of SHA-256. */
const authBytesMax = 32
/** Versions of the tools differ in what line breaks at the end and words like `hex:` mean to them. */
const authForm = /^[A-Za-z0-9+/=_.-]+$/

export interface Tpm2Key {
  /** Numbers of PCRs, in order. Without any, the software that started this machine does not count. */
  readonly pcrs: readonly number[]
  /** Absolute path of the file with the authorization value. */
  readonly authFile?: string
  /** How the tools reach the TPM. */
  readonly tcti?: string
  /** Milliseconds for one command of the tools. */
  readonly callMsMax?: number
}

export function tpm2Seal(key: Tpm2Key, random: Random): Seal {
  return {
    kind,
    asks: 'nothing',
    ...(key.authFile !== undefined && { secretFile: key.authFile }),
    startsAlone: false,
    async seal(rootKey, deploymentId) {
      const headerOf = async (sealKey: Uint8Array): Promise<Header> => {
        const sealed = await used(key, (tpm, auth) => sealInto(tpm, sealKey, key.pcrs, auth))
        const { primary, pcrs, lock } = sealed
        return { kind, primary, pcrs, ...texts(sealed), ...(lock && { lock: texts(lock) }) }
      }
      return { record: await sealUnderNewKey(headerOf, rootKey, deploymentId, random) }
    },
    open(record, deploymentId) {
      const sealed = readSealed(record)
      return unattended(async () => {
        requireSetting(sealed, key)
        const bytes = await used(key, (tpm, auth) => unsealed(tpm, sealed, auth))
        if (bytes.length !== sealKeyBytes) throw damaged()
        return openRecord(takeSecretKey(bytes), record, deploymentId)
      })
    },
  }
}

async function used<T>(
  key: Tpm2Key,
  use: (tpm: Tpm, auth: FileHandle | undefined) => Promise<T>,
): Promise<T> {
  const { authFile: path, tcti = tctiDefault, callMsMax = callMsDefault } = key
  const auth = path === undefined ? undefined : await openAuth(path)
  try {
    return await useTpm({ tcti, callMsMax }, (tpm) => use(tpm, auth))
  } catch (error) {
    throw error instanceof TpmError ? sealError(error, key) : error
  } finally {
    await auth?.close()
  }
}

/** The tools read the file themselves, so that its bytes pass no pipe. @throws {SealRefused} */
async function openAuth(path: string): Promise<FileHandle> {
  const name = 'file of the authorization value'
  const { file, size } = await openPrivateFile({ path, name, sizeMin: 1, sizeMax: authBytesMax })
  const bytes = Buffer.alloc(size)
  await file.read(bytes, 0, size, 0)
  const isRight = authForm.test(bytes.toString('latin1'))
  bytes.fill(0)
  if (isRight) return file
  await file.close()
  throw new SealRefused(`${name} ${path} holds letters, digits and +/=_.- alone, and no line break`)
}

/** Answers of a TPM. @see TPM 2.0 Library, Part 2, 6.6.3 */
const answers = {
  authFail: 0x8e,
  badAuth: 0xa2,
  policyFail: 0x9d,
  pcrChanged: 0x128,
  lockout: 0x921,
} as const
/** From here on, answers are about the moment, for example that the TPM is busy. */
const warningsFrom = 0x900

function sealError(error: TpmError, { pcrs, authFile: path, tcti = tctiDefault }: Tpm2Key): Error {
  const { code, command, isAway, message } = error
  const cause = { cause: error }
  if (code === answers.authFail || code === answers.badAuth) {
    if (path === undefined || command === 'createprimary') {
      return new SealRefused('the storage hierarchy of the TPM has a password: take it away', cause)
    }
    const words = `the TPM does not accept the authorization value of ${path}, and locks after some attempts`
    return new SealStopped(`${words}: correct the file`, cause)
  }
  if (code === answers.lockout) {
    const words = 'the TPM is locked after wrong authorization values: it opens after some time'
    return new SealUnavailable(`${words}, or by \`tpm2_dictionarylockout --clear-lockout\``, cause)
  }
  if (code === answers.policyFail || code === answers.pcrChanged) {
    const words = `PCRs ${pcrs.join(', ')} of the TPM are not as they were when the root key was sealed`
    return new SealRefused(`${words}: this machine started with other firmware or software`, cause)
  }
  // The tools and the TPM check what comes from the record.
  if (command === 'load' && !isAway && (code ?? 0) < warningsFrom) return damaged()
  return new SealUnavailable(`the TPM at ${tcti} cannot be used: ${message}`, cause)
}

/**
 * Whoever writes the database could put a record with fewer conditions back.
 * @throws {SealRefused} unless the settings name those of the record
 */
function requireSetting({ pcrs, lock }: Sealed, key: Tpm2Key): void {
  const sameLock = (lock !== undefined) === (key.authFile !== undefined)
  if (pcrs.join() === key.pcrs.join() && sameLock) return
  const stored = [
    ...(pcrs.length > 0 ? [`pcrs=${pcrs.join(',')}`] : []),
    ...(lock === undefined ? [] : ['auth-source=file:PATH']),
  ].join(';')
  throw new SealRefused(
    `the root key is sealed by ${kind}${stored === '' ? '' : `:${stored}`}: set TRENT_SEAL to that, and ` +
      'move it with `trent rekey`',
  )
}

const texts = (object: TpmObject): { readonly public: string; readonly private: string } => ({
  public: Buffer.from(object.public).toString('base64'),
  private: Buffer.from(object.private).toString('base64'),
})

/** Reads the members within bounds: nothing has proved them yet. */
function readSealed(record: Uint8Array): Sealed {
  const { primary, pcrs, lock, ...data } = readHeader(record, kind)
  if (typeof primary !== 'string' || !/^(?:[0-9a-f]{2}){2,66}$/.test(primary)) throw damaged()
  if (!Array.isArray(pcrs) || pcrs.length > pcrMax + 1) throw damaged()
  const numbers = pcrs.map((each: unknown) => {
    if (typeof each !== 'number' || !isPcr(each)) throw damaged()
    return each
  })
  const locked = lock === undefined ? {} : { lock: readAreas(Object(lock)) }
  return { primary, pcrs: numbers, ...readAreas(data), ...locked }
}

export function isPcr(number: number): boolean {
  return Number.isInteger(number) && number >= 0 && number <= pcrMax
}

function readAreas(of: { readonly public?: unknown; readonly private?: unknown }): TpmObject {
  const [first, second] = [of.public, of.private].map((text) => {
    const bytes = Buffer.from(typeof text === 'string' ? text : '', 'base64')
    if (bytes.length === 0 || bytes.length > objectBytesMax) throw damaged()
    return bytes
  }) as [Buffer, Buffer] // of two members
  return { public: first, private: second }
}
