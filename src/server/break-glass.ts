/** An operator acted in spite of every policy: an event, a metric and a line of the log say so. @module */
import type { Config } from '../config.ts'
import { KmsError } from '../errors.ts'
import { breakGlassEvent } from '../events/key-event.ts'
import type { BreakGlassAct } from '../model/break-glass.ts'
import type { BreakGlass } from '../operations/contract/break-glass.ts'
import type { ServerParts } from './parts.ts'

/** @throws {KmsError} */
export function breakGlassWith(
  { eventsWebhook }: Pick<Config, 'eventsWebhook'>,
  {
    store,
    clock,
    random,
    meter,
    log,
  }: Pick<ServerParts, 'store' | 'clock' | 'random' | 'meter' | 'log'>,
): (act: BreakGlassAct) => BreakGlass {
  return (act) => {
    const why = store.freshness.refusal()
    if (why !== undefined) {
      throw new KmsError('ServiceUnavailableException', `this node cannot decide calls: ${why}`)
    }
    const eventId = random.uuid()
    return {
      async note(transaction) {
        if (eventsWebhook === undefined) return
        const made = { eventId, time: clock.now() }
        await transaction.insertOutgoingEvent(breakGlassEvent(act, made))
      },
      done() {
        meter.brokeGlass(act.act)
        log.warn({ ...act }, 'an operator broke the glass')
      },
    }
  }
}
