/** `trent explain`: explains a decision, through the operator door. @module */
import type { Edit } from '../policy/explain/policy-edits.ts'
import { ConfigError, loadConfig } from '../config.ts'
import type { AccessExplanation, RecordedCall } from '../operations/contract/access-questions.ts'
import { callOperator } from '../operator/client.ts'
import type { ExplainedAccess } from '../operations/trent/explain-access.ts'
import { printed } from './printed.ts'
import { placeText, reasonText } from './reason-text.ts'

export interface ExplainOptions {
  readonly json?: true
  readonly caller?: string
  readonly action?: string
  readonly key?: string
  readonly encryptionContext?: readonly string[]
  readonly context?: readonly string[]
  readonly grant?: string
  readonly via?: string
  readonly request?: string
  readonly account?: string
  readonly region?: string
}

export async function explain(
  configFile: string | undefined,
  options: ExplainOptions,
): Promise<void> {
  await printed(options, async () => {
    const { operatorDirectory } = loadConfig(process.env, configFile)
    const { caller, action, key, via, region } = options
    const answer = await callOperator(operatorDirectory, 'ExplainAccess', {
      caller,
      action,
      key,
      via,
      region,
      requestId: options.request,
      accountId: options.account,
      grantId: options.grant,
      encryptionContext:
        options.encryptionContext && Object.fromEntries(options.encryptionContext.map(pairOf)),
      context: conditionKeys(options.context),
    })
    return [answer as ExplainedAccess, text] // the same program answers
  })
}

/** @throws {ConfigError} when the text is not `name=value` */
function pairOf(given: string): readonly [string, string] {
  const at = given.indexOf('=')
  if (at < 1) throw new ConfigError(`\`${given}\` is not of the form name=value`)
  return [given.slice(0, at), given.slice(at + 1)]
}

/** A key that is given several times has several values. */
function conditionKeys(given: readonly string[] | undefined): object[] | undefined {
  if (given === undefined) return undefined
  const values = new Map<string, string[]>()
  for (const [name, value] of given.map(pairOf)) {
    values.set(name, [...(values.get(name) ?? []), value])
  }
  return [...values].map(([name, list]) => ({ name, values: list }))
}

function text(answer: ExplainedAccess): string {
  const lines: string[] = []
  if ('call' in answer) lines.push(...callLines(answer.call), '')
  if (answer.now !== undefined) lines.push(...accessLines(answer.now))
  if ('unasked' in answer && answer.unasked !== undefined) {
    lines.push(`not evaluated again: ${answer.unasked}`)
  }
  return `${lines.join('\n')}\n`
}

function callLines(call: RecordedCall): readonly string[] {
  const { eventName, eventTime, caller, errorCode, errorMessage, reasons } = call
  const outcome = errorCode === undefined ? 'succeeded' : `failed with ${errorCode}`
  return [
    `${eventName} of ${caller} ${outcome} at ${eventTime}`,
    ...(errorMessage === undefined ? [] : [`  ${errorMessage}`]),
    ...(reasons.length === 0 ? [] : ['because, as its record says:']),
    ...reasons.map((reason) => `  ${reason.action}: ${reasonText(reason)}`),
  ]
}

function accessLines(now: AccessExplanation): readonly string[] {
  const { caller, action, keyArn, decision, reasons, errors, statements } = now
  const turned = decision === 'allow' ? 'deny' : 'allow'
  const lines = [
    `${decision === 'allow' ? 'ALLOWED' : 'DENIED'}  ${action}`,
    `  by  ${caller}`,
    `  on  ${keyArn}`,
    'because of',
    ...reasons.map((reason) => `  ${reasonText(reason)}`),
    ...errors.map((error) => `  ${error}`),
  ]
  if (statements.length > 0) lines.push('statements that apply')
  for (const { effect, label, in: place } of statements) {
    lines.push(`  ${effect.padEnd(5)}  ${label} of ${placeText(place)}`)
  }
  const linesOf = (edit: Edit): readonly string[] => editLines(edit, keyArn)
  if (now.change === undefined)
    return [...lines, `no change of a policy or a grant would ${turned} it`]
  lines.push(`the smallest change that would ${turned} it`, ...now.change.flatMap(linesOf))
  for (const way of now.alternatives) lines.push('or', ...way.flatMap(linesOf))
  return lines
}

type GivenGrant = Extract<Edit, { edit: 'add-grant' }>['grant']

function editLines(edit: Edit, keyArn: string): readonly string[] {
  if (edit.edit === 'add-grant')
    return ['  create a grant:', `    ${grantCommand(edit.grant, keyArn)}`]
  if (edit.edit === 'revoke-grant') return [`  revoke the grant ${edit.grantId}`]
  const place = placeText(edit.in)
  if (edit.edit === 'remove-statement') return [`  remove statement ${edit.label} of ${place}`]
  const how =
    edit.edit === 'add-statement'
      ? `add to ${place}`
      : `replace statement ${edit.label} of ${place} with`
  return [`  ${how}:`, `    ${JSON.stringify(edit.statement)}`]
}

/** Nobody but the service itself gives grants to service principals. */
function grantCommand({ granteePrincipal = '', operations }: GivenGrant, keyArn: string): string {
  const asked = `--key-id ${keyArn} --grantee-principal ${granteePrincipal}`
  return `aws kms create-grant ${asked} --operations ${operations.join(' ')}`
}
