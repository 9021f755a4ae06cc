/** Each kind of seal, as tests of all of them use it: settings, what people give, and its device taken away. @module */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync, renameSync, writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { CreateKeyCommand } from '@aws-sdk/client-kms'
import type { SealKind } from '../../src/seals/seal.ts'
import { realRandom } from '../crypto/fixed.ts'
import { credentials, startTestServer } from '../harness.ts'
import { noSoftHsm, pin, softHsm } from '../pkcs11/soft-hsm.ts'
import { temporaryFolder } from '../store/engines.ts'
import { foundTpm, leftIn, noSoftTpm } from './soft-tpm.ts'

interface Device {
  /** What uses that were cut short left in it and in memory. */
  readonly left?: () => readonly string[]
  /** What a server says of a device that is away. */
  readonly awayWords: RegExp
  /** Takes the device away, and returns a function that brings it back. */
  readonly takeAway: () => Promise<() => Promise<void>>
}

interface Made {
  /** The value of TRENT_SEAL. */
  readonly setting: string
  /** More settings of Trent. */
  readonly settings?: Readonly<Record<string, string>>
  /** Variables of libraries and tools. They are set in this process too. */
  readonly environment?: Readonly<Record<string, string>>
  readonly device?: Device
}

/** What one new record of a seal needs. */
export interface NewSeal {
  /** The members of `Initialize` and `BeginRekey`. */
  readonly wanted: object
  /** What its people prove, once `Initialize` or `BeginRekey` has answered. */
  readonly secretsOf: (answer: { readonly shares?: readonly string[] }) => readonly string[]
}

export interface TestedSeal extends Required<Omit<Made, 'device'>> {
  readonly kind: SealKind
  /** Absent if people open the seal. */
  readonly device?: Device
  readonly plan: () => NewSeal
}

/** What opens the seal: of three shares two, and otherwise everything. */
export const enough = (secrets: readonly string[]): readonly string[] => secrets.slice(-2)

/** Why a seal of this kind cannot be tested here; undefined if it can. */
export function noSealOf(kind: SealKind): string | undefined {
  if (kind === 'pkcs11') return noSoftHsm
  return kind === 'tpm2' ? noSoftTpm : undefined
}

const plans: Partial<Record<SealKind, () => NewSeal>> = {
  passphrase() {
    const passphrase = `correct horse ${realRandom.uuid()}`
    return { wanted: { passphrase }, secretsOf: () => [passphrase] }
  },
  shamir: () => ({
    wanted: { shares: 3, threshold: 2 },
    secretsOf: ({ shares = [] }) => shares,
  }),
}

const makers: Readonly<Record<SealKind, (t: TestContext) => Made | Promise<Made>>> = {
  file(t) {
    const path = join(temporaryFolder(t), 'seal.key')
    return {
      setting: `file:${path}`,
      device: {
        awayWords: /key file \S+ is missing/,
        async takeAway() {
          renameSync(path, `${path}-away`)
          return async () => renameSync(`${path}-away`, path)
        },
      },
    }
  },
  passphrase: () => ({ setting: 'passphrase' }),
  shamir: () => ({ setting: 'shamir' }),
  async kms(t) {
    const kms = await startTestServer()
    t.after(() => kms.stop())
    const { KeyMetadata } = await kms.client().send(new CreateKeyCommand({}))
    const way = await wayTo(t, kms.port)
    return {
      setting: `kms:${KeyMetadata?.Arn}`,
      settings: { TRENT_SEAL_KMS_ENDPOINT: `http://127.0.0.1:${way.port}` },
      environment: {
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      },
      device: { awayWords: /the KMS cannot be used with arn:/, takeAway: way.close },
    }
  },
  pkcs11(t) {
    const { library, makeToken, environment, unplug } = softHsm(t)
    makeToken('trent')
    const pinFile = join(temporaryFolder(t), 'pin')
    writeFileSync(pinFile, pin, { mode: 0o600 })
    const takeAway = async (): Promise<() => Promise<void>> => {
      const plugIn = unplug()
      return async () => plugIn()
    }
    return {
      setting: `pkcs11:token=trent;object=k?module-path=${library}&pin-source=file:${pinFile}`,
      settings: { TRENT_PKCS11_ENVIRONMENT: 'SOFTHSM2_CONF' },
      environment,
      device: { awayWords: /the HSM cannot be used/, takeAway },
    }
  },
  async tpm2(t) {
    const tpm = await foundTpm(t)
    const { tcti, path, unplug, plugIn } = tpm
    const folder = process.env['RUNTIME_DIRECTORY'] ?? ''
    const left = (): readonly string[] => [...leftIn(tpm), ...readdirSync(folder)]
    const takeAway = async (): Promise<() => Promise<void>> => {
      await unplug()
      return plugIn
    }
    return {
      setting: 'tpm2:pcrs=7',
      settings: { TRENT_TPM2_TCTI: tcti },
      environment: { PATH: path, RUNTIME_DIRECTORY: folder },
      device: { awayWords: /the TPM at \S+ cannot be used/, takeAway, left },
    }
  },
}

/** A seal of this kind, with a device of its own. */
export async function testedSeal(t: TestContext, kind: SealKind): Promise<TestedSeal> {
  const { setting, settings = {}, environment = {}, device } = await makers[kind](t)
  Object.assign(process.env, environment)
  const plan = plans[kind] ?? (() => ({ wanted: {}, secretsOf: () => [] }))
  return { kind, setting, settings, environment, plan, ...(device && { device }) }
}

/** A move to a seal that people open ends the recovery seal, so those are the last. */
const inOrder = ['file', 'kms', 'pkcs11', 'tpm2', 'passphrase', 'shamir'] satisfies SealKind[]

/** A seal of each kind that can be tested here. */
export async function testedSeals(t: TestContext): Promise<readonly TestedSeal[]> {
  const seals: TestedSeal[] = []
  for (const kind of inOrder) {
    const missing = noSealOf(kind)
    if (missing === undefined) seals.push(await testedSeal(t, kind))
    else t.diagnostic(`without the seal ${kind}: ${missing}`)
  }
  return seals
}

interface Answer {
  readonly stage?: string
  readonly shares?: readonly string[]
}

/**
 * Has a running server seal its root key anew, and returns what people give from then on.
 * @param ask calls an operation of the operators' socket
 * @param secrets what people gave until now
 */
export async function sealedAnew(
  ask: (operation: string, input: object) => Promise<unknown>,
  request: object,
  { kind, plan }: TestedSeal,
  secrets: readonly string[] = [],
): Promise<readonly string[]> {
  const { wanted, secretsOf } = plan()
  let answer = (await ask('BeginRekey', { ...request, ...wanted })) as Answer
  const give = async (secret: string): Promise<void> => {
    answer = (await ask('ContinueRekey', { secret })) as Answer
  }
  for (const secret of enough(secrets)) await give(secret)
  const proofs = secretsOf(answer)
  for (const secret of proofs) await give(secret)
  assert.equal(answer.stage, 'done', kind)
  return proofs
}

/** A way to a port of this machine that can be closed. */
async function wayTo(
  t: TestContext,
  to: number,
): Promise<{ readonly port: number; readonly close: Device['takeAway'] }> {
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(to, '127.0.0.1')
    for (const socket of [client, upstream]) sockets.add(socket.on('error', () => undefined))
    client.pipe(upstream).pipe(client)
  })
  const close = async (): Promise<void> => {
    const closed = once(server, 'close')
    server.close()
    for (const socket of sockets) socket.destroy()
    await closed
  }
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.after(() => (server.listening ? close() : undefined))
  const { port } = server.address() as AddressInfo
  return {
    port,
    async close() {
      await close()
      return async () => void (await once(server.listen(port, '127.0.0.1'), 'listening'))
    },
  }
}
