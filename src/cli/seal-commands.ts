/** `trent init`, `unseal`, `seal` and `rekey`, through the operator door. @module */
import { setTimeout as delay } from 'node:timers/promises'
import { resolve } from 'node:path'
import { ConfigError, loadConfig } from '../config.ts'
import { callOperator, callUnsealPort, OperatorCallFailed } from '../operator/client.ts'
import type { RekeyState, SealStatus } from '../operations/contract/seal-controls.ts'
import type { SealedServer } from '../operations/trent/seal-server.ts'
import type { Progress } from '../seals/seal.ts'
import { parseSeal, sealText } from '../seals/setting.ts'
import { printed } from './printed.ts'
import { unsealPortOf, type PortOptions } from './unseal-port.ts'
import { askedFor, readNewPassphrase, readSecret } from './secret-input.ts'

export interface Numbers {
  readonly json?: true
  /** Whole numbers as texts. */
  readonly shares?: string
  readonly threshold?: string
}

/** The answer of GetStatus, of a sealed server and of an open one. */
interface Status {
  readonly ready: boolean
  readonly sealed: boolean
  readonly seal?: Partial<SealedStatus> & Partial<SealStatus>
}
type SealedStatus = Progress & { readonly kind: string; readonly initialized: boolean }

/** Time for a start that opens a large deployment. */
const openMsMax = 120_000
const pollMs = 200

interface Initialized {
  readonly initialized: true
  readonly shares?: readonly string[]
  readonly recoveryShares?: readonly string[]
}

export async function init(
  configFile: string | undefined,
  options: Numbers & { readonly recovery: boolean; readonly passphraseFile?: string },
): Promise<void> {
  await printed(options, async () => {
    const { operatorDirectory } = loadConfig(process.env, configFile)
    const numbers = numbersOf(options)
    const status = await statusOf(operatorDirectory)
    if (status.sealed) {
      // The server's seal counts: the settings of this command may be others.
      const { kind, asks } = status.seal ?? {}
      const input = asks === 'shares' ? numbers : await passphraseFor(kind, options)
      const { shares } = (await callOperator(operatorDirectory, 'Initialize', input)) as Initialized
      if (asks !== 'nothing') return [initialized({ shares }), initText]
    }
    const { opensAlone, recovery, rekey: begun } = (await whenReady(operatorDirectory)).seal ?? {}
    const isDone = opensAlone !== true || recovery === true || !options.recovery
    if (isDone && !status.sealed) {
      throw new ConfigError('the deployment is initialised: `trent status` shows its seal')
    }
    if (isDone || begun?.stage === 'open') return [initialized({}), initText]
    const input = { recovery: true, ...numbers }
    const made = (await callOperator(operatorDirectory, 'BeginRekey', input)) as RekeyState
    return [initialized({ recoveryShares: made.shares }), initText]
  })
}

function initialized(shares: {
  readonly shares?: readonly string[] | undefined
  readonly recoveryShares?: readonly string[] | undefined
}): Initialized {
  const given = Object.entries(shares).filter(([, texts]) => texts !== undefined)
  return { initialized: true, ...Object.fromEntries(given) }
}

function initText({ shares, recoveryShares }: Initialized): string {
  if (shares !== undefined) {
    const next = 'Now each of them runs `trent unseal` once: the first time, every share is needed.'
    return `${sharesText(shares)}${next}\n`
  }
  if (recoveryShares !== undefined) {
    const next =
      'Now each of them runs `trent rekey` once, as proof. Then the recovery seal is in force.'
    return `the recovery seal:\n${sharesText(recoveryShares)}${next}\n`
  }
  return 'the deployment is initialised\n'
}

export function sharesText(shares: readonly string[]): string {
  const lines = shares.map((share, index) => `  ${index + 1}  ${share}\n`)
  return `${shares.length} shares, shown only once. Give each to another person:\n${lines.join('')}`
}

interface Told extends Partial<Progress> {
  readonly open: boolean
}

type Ask = (operation: string, input?: object) => Promise<unknown>

export async function unseal(
  configFile: string | undefined,
  options: PortOptions & { readonly json?: true; readonly from?: string },
): Promise<void> {
  await printed(options, async () => {
    const ask = doorOf(configFile, options)
    const before = (await ask('GetStatus')) as Status // the same program answers
    if (!before.sealed) return [{ open: true }, toldText]
    const { initialized: isInitialized = false, ...progress } = before.seal ?? {}
    if (!isInitialized) throw new ConfigError('the deployment has no root key yet: `trent init`')
    // Also asked when the server opens its seal by itself: its refusal says what it waits for.
    const secret = await readSecret(askedFor(progress as Progress), options.from)
    const after = (await ask('Unseal', { secret: takeText(secret) })) as SealedStatus
    const { sealed } = (await ask('GetStatus')) as Status
    // The holder of a share at another machine has done their part.
    if (!sealed && options.url === undefined) await untilReady(ask)
    return [{ open: !sealed, ...after }, toldText]
  })
}

/** Asks the server of this machine, or the port for unsealing of another one. @throws {ConfigError} */
function doorOf(configFile: string | undefined, options: PortOptions): Ask {
  const port = unsealPortOf(options)
  if (port !== undefined) {
    return (operation, input) => callUnsealPort(port, operation, input)
  }
  const { operatorDirectory } = loadConfig(process.env, configFile)
  return (operation, input) => callOperator(operatorDirectory, operation, input)
}

function toldText({ open, set, given = [], givers = [], needed }: Told): string {
  if (open) return 'the root key is open\n'
  const by = given.map((index, at) => (givers[at] ? `${index} by ${givers[at]}` : `${index}`))
  return `${given.length} of ${needed ?? '?'} shares of set ${set ?? ''} are given: ${by.join('; ')}\n`
}

export async function sealServer(
  configFile: string | undefined,
  options: { readonly json?: true },
): Promise<void> {
  await printed(options, async () => {
    const { operatorDirectory } = loadConfig(process.env, configFile)
    const answer = (await callOperator(operatorDirectory, 'SealServer')) as SealedServer
    return [answer, sealedText]
  })
}

function sealedText({ opensAlone }: SealedServer): string {
  const ended = 'the process that held the keys ends'
  if (!opensAlone) return `${ended}; the next start is sealed\n`
  return `${ended}; this seal opens by itself: stop the supervisor to keep the keys away\n`
}

export async function rekey(
  configFile: string | undefined,
  options: Numbers & {
    readonly seal?: string
    readonly recovery?: true
    readonly cancel?: true
    readonly from?: string
    readonly passphraseFile?: string
  },
): Promise<void> {
  await printed<ShownRekey>(options, async () => {
    const { operatorDirectory } = loadConfig(process.env, configFile)
    if (options.cancel) {
      await callOperator(operatorDirectory, 'CancelRekey')
      return [{ stage: 'cancelled', seal: '' }, rekeyText]
    }
    if (options.seal === undefined && !options.recovery) {
      const { rekey: state } = (await whenReady(operatorDirectory)).seal ?? {}
      if (state === undefined) {
        throw new ConfigError('name the new seal: `trent rekey --seal shamir`, or `--recovery`')
      }
      const secret = takeText(await readSecret(askedOf(state), options.from))
      const next = await callOperator(operatorDirectory, 'ContinueRekey', { secret })
      return [next as RekeyState, rekeyText]
    }
    const seal = options.seal === undefined ? undefined : settingOf(options.seal)
    const input = {
      ...(seal && { seal: sealText(seal) }),
      ...(options.recovery && { recovery: true }),
      ...numbersOf(options),
      ...(await passphraseFor(seal?.kind, options)),
    }
    const state = await callOperator(operatorDirectory, 'BeginRekey', input)
    return [state as RekeyState, rekeyText]
  })
}

function askedOf(state: RekeyState): string {
  const { stage, asks = 'shares' } = state
  const whose = stage === 'open' ? 'the current seal' : 'the new seal'
  return `${whose}, ${askedFor({ ...state, asks })}`
}

type ShownRekey = Omit<RekeyState, 'stage'> & {
  readonly stage: RekeyState['stage'] | 'cancelled'
}

export function rekeyText({
  stage,
  seal,
  asks,
  shares,
  given = [],
  needed,
  setting,
  rotates,
}: ShownRekey): string {
  if (stage === 'cancelled') return 'the new seal is deleted; the current one stays\n'
  if (stage === 'done' && rotates) {
    return 'the new root key is in force; everything is wrapped under it in the background: `trent status`\n'
  }
  if (stage === 'done') {
    if (setting === undefined) return 'the recovery seal is in force\n'
    const next = `from the next start on, set TRENT_SEAL=${setting}`
    return `the new seal (${seal}) is in force, and the former one is deleted: ${next}\n`
  }
  const shown = shares === undefined ? '' : sharesText(shares)
  const whose = stage === 'open' ? 'The current seal must be opened' : 'The new seal must be proved'
  const how =
    asks === 'passphrase'
      ? 'its passphrase is needed'
      : `${given.length} of ${needed ?? '?'} shares are given`
  return `${shown}${whose}: ${how}. Each holder runs \`trent rekey\` once.\n`
}

function settingOf(text: string): ReturnType<typeof parseSeal> {
  try {
    return parseSeal(text.startsWith('file:') ? `file:${resolve(text.slice(5))}` : text)
  } catch (cause) {
    throw new ConfigError(`--seal: ${cause instanceof Error ? cause.message : ''}`, { cause })
  }
}

export function numbersOf({ shares, threshold }: Numbers): Readonly<Record<string, number>> {
  const given = Object.entries({ shares, threshold }).flatMap(([name, text]) => {
    if (text === undefined) return []
    if (!/^\d{1,2}$/.test(text)) throw new ConfigError(`--${name} is a whole number`)
    return [[name, Number(text)]]
  })
  return Object.fromEntries(given) as Record<string, number>
}

export async function passphraseFor(
  kind: string | undefined,
  { passphraseFile }: { readonly passphraseFile?: string },
): Promise<object> {
  if (kind !== 'passphrase') return {}
  return { passphrase: takeText(await readNewPassphrase(passphraseFile)) }
}

function takeText(secret: Buffer): string {
  try {
    return secret.toString('utf8')
  } finally {
    secret.fill(0)
  }
}

async function statusOf(operatorDirectory: string): Promise<Status> {
  return (await callOperator(operatorDirectory, 'GetStatus')) as Status // the same program answers
}

/** Waits until an unsealed server serves calls. @throws {OperatorCallFailed} */
export function whenReady(operatorDirectory: string): Promise<Status> {
  return untilReady((operation) => callOperator(operatorDirectory, operation))
}

async function untilReady(ask: Ask): Promise<Status> {
  for (let waited = 0; waited < openMsMax; waited += pollMs) {
    const status = (await ask('GetStatus')) as Status // the same program answers
    if (status.sealed) throw new OperatorCallFailed('the server is sealed: `trent unseal`')
    if (status.seal?.opensAlone !== undefined) return status
    await delay(pollMs)
  }
  throw new OperatorCallFailed('the server is not ready yet: `trent status`')
}
