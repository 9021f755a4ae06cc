/** Counts events by their outcome. @module */
import { Counter, type Registry } from 'prom-client'
import type { EventOutcome } from '../events/send-events.ts'

const outcomes: readonly EventOutcome[] = ['delivered', 'failed', 'dead', 'dropped', 'limited']

export function createEventCounter(
  registers: Registry[],
): (outcome: EventOutcome, events: number) => void {
  const counter = new Counter({
    name: 'trent_events_total',
    help: 'Events delivered, attempts that failed, events given up (dead, dropped) and not made (limited).',
    labelNames: ['outcome'],
    registers,
  })
  // Every series exists from the start, so that `rate()` sees the first increment.
  for (const outcome of outcomes) counter.inc({ outcome }, 0)
  return (outcome, events) => counter.inc({ outcome }, events)
}
