/**
 * Explains one decision to operators: the reasons, and the smallest change that would reverse it. For a
 * recorded call, the record gives the reasons at that time, because policies may have changed since.
 * @module
 */
import { explain } from '../policy/explain/explain.ts'
import type { Edit } from '../policy/explain/policy-edits.ts'
import { KmsError } from '../errors.ts'
import { eventHistoryMs, type EventLookup } from '../model/audit-event.ts'
import type { Explanations } from '../operations/contract/access-questions.ts'
import { keyArn } from '../model/key.ts'
import { pause } from '../model/pause.ts'
import { callerNamed, poseQuestion } from './access-questions.ts'
import type { FindPrincipal } from '../authorize/principals.ts'
import { createOwnExplanations } from './own-access.ts'
import { recordedQuestion } from './recorded-question.ts'
import type { Store } from '../store/store.ts'
import { whoCan, type WhoCanDependencies } from './who-can.ts'

/** Records that are searched for a request id, one page at a time. */
const eventsMax = 20_000
const pageMax = 500
const accountsMax = 100

/** A change revokes at most one grant. A second grant shows that this would not reverse the decision. */
const grantsMax = 2

export function createExplanations(
  dependencies: WhoCanDependencies & { readonly idOf: FindPrincipal; readonly events: EventLookup },
): Explanations {
  const access: Explanations['access'] = async (asked, { region, partition, signal }) => {
    const { caller: arn, ...more } = asked
    const caller = await callerNamed(arn, dependencies.idOf, dependencies.lookup)
    const posed = await poseQuestion(
      { ...more, caller, region, partition },
      { ...dependencies, grantsMax },
    )
    const { request, key, ...spoken } = posed
    const { decision, change, alternatives, ...explained } = await explain(request, spoken, () =>
      pause(signal),
    )
    return {
      caller: arn,
      action: asked.action,
      keyArn: keyArn(partition, key),
      ...decision,
      ...explained,
      ...(change && { change: change.map(asRequested) }),
      alternatives: alternatives.map((way) => way.map(asRequested)),
    }
  }
  const explanations: Omit<Explanations, 'own'> = {
    access,
    whoCan: (question, accountId, signal) => whoCan(question, accountId, dependencies, signal),
    async call(requestId, { accountId, region, partition, signal }) {
      const text = await findInAccounts(requestId, { accountId, region }, dependencies, signal)
      if (text === undefined) {
        const of = accountId === undefined ? 'each account' : `account ${accountId}`
        const message =
          `no record of the request ${requestId} is among the last ${eventsMax} of ${of} in ${region}; ` +
          'one is found some seconds after its call'
        throw new KmsError('NotFoundException', message)
      }
      const { call, question } = recordedQuestion(text)
      if (typeof question === 'string') return { call, unasked: question }
      try {
        return { call, now: await access(question, { region, partition, signal }) }
      } catch (error) {
        if (!(error instanceof KmsError)) throw error
        return { call, unasked: error.message }
      }
    },
  }
  return { ...explanations, own: createOwnExplanations(explanations) }
}

/** CreateGrant takes the grantee's ARN alone. */
function asRequested(edit: Edit): Edit {
  if (edit.edit !== 'add-grant') return edit
  const { granteeId: _, ...grant } = edit.grant
  return { ...edit, grant }
}

interface Records {
  readonly store: Pick<Store, 'listAccounts'>
  readonly events: EventLookup
  readonly now: () => number
}

async function findInAccounts(
  requestId: string,
  { accountId, region }: { readonly accountId: string | undefined; readonly region: string },
  records: Records,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (accountId !== undefined) return findRecord(requestId, { accountId, region }, records, signal)
  let after: string | undefined
  do {
    const page = { limit: accountsMax, ...(after !== undefined && { after }) }
    const accounts = await records.store.listAccounts(page)
    for (const { accountId: each } of accounts) {
      const text = await findRecord(requestId, { accountId: each, region }, records, signal)
      if (text !== undefined) return text
    }
    after = accounts.length < accountsMax ? undefined : accounts.at(-1)?.accountId
  } while (after !== undefined)
  return undefined
}

async function findRecord(
  requestId: string,
  scope: { readonly accountId: string; readonly region: string },
  { events, now }: Records,
  signal: AbortSignal,
): Promise<string | undefined> {
  const wanted = JSON.stringify(requestId)
  // Records may be dated ahead if the clock was set back.
  const range = { from: now() - eventHistoryMs, until: now() + 86_400_000, limit: pageMax }
  let after: string | undefined
  for (let seen = 0; seen < eventsMax; seen += pageMax) {
    const page = await events.lookup({ scope, ...range, ...(after !== undefined && { after }) })
    // A cheap check first, because a record is several kilobytes of JSON.
    const found = page.events.find(({ text }) => text.includes(wanted) && isOf(text, requestId))
    if (found !== undefined) return found.text
    if (page.next === undefined) return undefined
    await pause(signal)
    after = page.next
  }
  return undefined
}

function isOf(text: string, requestId: string): boolean {
  const record = JSON.parse(text) as { readonly requestID?: unknown }
  return record.requestID === requestId
}
