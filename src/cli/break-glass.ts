/** `trent break-glass unlock-key` and `reset-root`, through the operator door. @module */
import { createInterface } from 'node:readline/promises'
import { ConfigError, loadConfig } from '../config.ts'
import { visible } from '../model/visible.ts'
import type { CreatedAccount } from '../operations/trent/create-account.ts'
import type { UnlockedKey } from '../operations/trent/unlock-key.ts'
import { callOperator } from '../operator/client.ts'
import { credentials } from './account.ts'
import { printed } from './printed.ts'

interface Options {
  readonly yes?: true
  readonly json?: true
}

export async function unlockKey(
  configFile: string | undefined,
  keyArn: string,
  options: Options,
): Promise<void> {
  await printed(options, async () => {
    const { operatorDirectory } = loadConfig(process.env, configFile)
    await confirmed(`this replaces the key policy of ${keyArn}`, keyArn.split('/').at(-1), options)
    const answer = await callOperator(operatorDirectory, 'UnlockKey', { keyArn })
    return [answer as UnlockedKey, unlockedText] // the same program answers
  })
}

function unlockedText({ keyArn, formerPolicySha256 }: UnlockedKey): string {
  const former = `the former one is on record (SHA-256 ${formerPolicySha256})`
  return `${keyArn} has the default key policy; ${former}\n`
}

export async function resetRoot(
  configFile: string | undefined,
  accountId: string,
  options: Options,
): Promise<void> {
  await printed(options, async () => {
    const { operatorDirectory } = loadConfig(process.env, configFile)
    const what = `this ends all credentials and sessions of the root user of ${accountId}`
    await confirmed(what, accountId, options)
    const answer = await callOperator(operatorDirectory, 'ResetRoot', { accountId })
    return [answer as CreatedAccount, credentials] // the same program answers
  })
}

/** @throws {ConfigError} unless a person types what it is done to, or `--yes` is given */
async function confirmed(what: string, typed = '', { yes }: Options): Promise<void> {
  if (yes) return
  if (!process.stdin.isTTY) {
    throw new ConfigError(`${what}: type it at a terminal, or say --yes`)
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const question = `${visible(what)}, sets off an alarm, and is on record under your name.\n`
    const answer = await terminal.question(`${question}To go on, type ${visible(typed)}: `)
    if (answer.trim() === typed) return
  } finally {
    terminal.close()
  }
  throw new ConfigError('nothing is changed: that was something else')
}
