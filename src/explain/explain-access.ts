/**
 * Explains one decision to operators: the reasons, and the smallest change that would reverse it. For a
 * recorded call, the record gives the reasons at that time, because policies may have changed since.
 * @module
 */
import { explain } from '../policy/explain/explain.ts'
import { KmsError } from '../errors.ts'
import { eventHistoryMs, type EventLookup } from '../model/audit-event.ts'
import type { Explanations } from '../operations/contract/access-questions.ts'
import { keyArn } from '../model/key.ts'
import { pause } from '../model/pause.ts'
import { callerNamed, poseQuestion } from './access-questions.ts'
import type { FindPrincipal } from '../authorize/principals.ts'
import { recordedQuestion } from './recorded-question.ts'
import { whoCan, type WhoCanDependencies } from './who-can.ts'

/** Records that are searched for a request id, one page at a time. */
const eventsMax = 20_000
const pageMax = 500

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
    const { decision, ...explained } = await explain(request, spoken, () => pause(signal))
    return {
      caller: arn,
      action: asked.action,
      keyArn: keyArn(partition, key),
      ...decision,
      ...explained,
    }
  }
  return {
    access,
    whoCan: (question, accountId, signal) => whoCan(question, accountId, dependencies, signal),
    async call(requestId, { partition, signal, ...scope }) {
      const text = await findRecord(requestId, scope, dependencies, signal)
      if (text === undefined) {
        const where = `account ${scope.accountId} in ${scope.region}`
        const message =
          `no record of the request ${requestId} is among the last ${eventsMax} of ${where}; ` +
          'one is found some seconds after its call'
        throw new KmsError('NotFoundException', message)
      }
      const { call, question } = recordedQuestion(text)
      if (typeof question === 'string') return { call, unasked: question }
      try {
        return { call, now: await access(question, { region: scope.region, partition, signal }) }
      } catch (error) {
        if (!(error instanceof KmsError)) throw error
        return { call, unasked: error.message }
      }
    },
  }
}

async function findRecord(
  requestId: string,
  scope: { readonly accountId: string; readonly region: string },
  { events, now }: { readonly events: EventLookup; readonly now: () => number },
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
