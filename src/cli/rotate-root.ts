/** `trent rotate-root`: a new root key, and the end of former ones, through the operator door. @module */
import { ConfigError, loadConfig } from '../config.ts'
import type { RekeyState, RetiredRoots } from '../operations/contract/seal-controls.ts'
import { callOperator } from '../operator/client.ts'
import { printed } from './printed.ts'
import {
  numbersOf,
  passphraseFor,
  rekeyText,
  sharesText,
  whenReady,
  type Numbers,
} from './seal-commands.ts'

interface Options extends Numbers {
  readonly passphraseFile?: string
  /** False for `--no-recovery`. */
  readonly recovery: boolean
  readonly retire?: true
  readonly endSessions?: true
}

type Rotated = RekeyState & { readonly recoveryShares?: readonly string[] }

export async function rotateRoot(configFile: string | undefined, options: Options): Promise<void> {
  const { operatorDirectory } = loadConfig(process.env, configFile)
  if (options.retire) {
    await printed(options, async () => {
      const input = { endSessions: options.endSessions === true }
      const answer = await callOperator(operatorDirectory, 'RetireRootKeys', input)
      return [answer as RetiredRoots, retiredText]
    })
    return
  }
  if (options.endSessions) throw new ConfigError('--end-sessions belongs to --retire')
  await printed(options, async () => {
    const { kind, recovery } = (await whenReady(operatorDirectory)).seal ?? {}
    const numbers = numbersOf(options)
    const input = {
      rotate: true,
      ...(kind === 'shamir' && numbers),
      ...(await passphraseFor(kind, options)),
    }
    const state = (await callOperator(operatorDirectory, 'BeginRekey', input)) as RekeyState
    // The recovery seal of the former root key opens nothing any more.
    if (state.stage !== 'done' || recovery !== true || !options.recovery)
      return [state, rotatedText]
    const again = { recovery: true, ...numbers }
    const { shares = [] } = (await callOperator(
      operatorDirectory,
      'BeginRekey',
      again,
    )) as RekeyState
    return [{ ...state, recoveryShares: shares }, rotatedText]
  })
}

function rotatedText({ recoveryShares, ...state }: Rotated): string {
  if (recoveryShares === undefined) return rekeyText(state)
  return (
    `${rekeyText(state)}the former recovery seal is void. The new one:\n${sharesText(recoveryShares)}` +
    'Now each of them runs `trent rekey` once, as proof. Then the recovery seal is in force.\n'
  )
}

function retiredText({ generation, retired }: RetiredRoots): string {
  return (
    `${retired} former root keys are ended; the current one is generation ${generation}. ` +
    'Destroy what opened their seals, and copies of the database from before\n'
  )
}
