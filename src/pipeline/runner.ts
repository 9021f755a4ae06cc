/**
 * Moves requests through a list of stages. All requests of one turn of the event loop pass a stage before any
 * of them enters the next one, so that its code and data stay in the processor's caches.
 *
 * A turn runs after timers and I/O. It takes requests in two places, and bounds both by number and time:
 * those that arrived, and those that wait at the gate. Whoever has passed the gate runs through all further
 * stages in the same turn, up to the first one that waits. Then it joins a later turn at the next stage.
 * @see docs/adr/0033-turns-of-requests.md
 * @module
 */
import { createFairQueue } from '../model/fair-queue.ts'
import type { Party } from '../model/party.ts'
import { Again, StepFailed, type StageList } from './stage-list.ts'

export interface RunnerOptions<AtGate> {
  /** The party of a request at the gate. Accounts take turns there. */
  readonly partyOf: (value: AtGate) => Party
  /** The most requests that one turn takes, in each of the two places. */
  readonly requestsMax: number
  /** Milliseconds after which a turn takes no more requests, in each of the two places. */
  readonly msMax: number
  /** After a turn that took more milliseconds, the next ones let fewer requests through the gate. */
  readonly turnMsMax: number
  /** Milliseconds, of a clock that never goes back. */
  readonly now: () => number
}

/**
 * Runs a request. The result rejects with a `StepFailed` if no stage settles the failure.
 * @param connection of which a turn takes one request; undefined if the request came over none
 */
export type Run<Input, Output> = (input: Input, connection?: object) => Promise<Output>

/** A request on its way. */
interface Traveller {
  /** The index of the next stage. */
  at: number
  /** The next stage's input, or the failure of an earlier stage. */
  value: unknown
  readonly connection: object | undefined
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

type Join = (traveller: Traveller) => void

export function createRunner<Input, Output, AtGate, Reached>(
  list: StageList<Input, Output, AtGate, Reached>,
  options: RunnerOptions<AtGate>,
): Run<Input, Output> {
  const { gate, stages } = list
  const { partyOf, requestsMax } = options
  let arrived: Traveller[] = []
  // The listener bounds the requests in flight, and so this queue.
  const atGate = createFairQueue<Traveller>(Infinity)
  const behindGate: Traveller[] = []
  const connections = oneEach()
  const room = roomOfTurns(options)
  let planned = false

  const plan = (): void => {
    if (planned) return
    planned = true
    setImmediate(turn)
  }
  const join: Join = (traveller) => {
    const { at, value } = traveller
    if (at > gate || value instanceof StepFailed) behindGate.push(traveller)
    else if (at === gate) atGate.push(traveller, partyOf(value as AtGate)) // the list's type says so
    else arrived.unshift(traveller)
    plan()
  }
  const step = stepper(list, join)

  /** Brings requests to the gate. Those that a turn has no time for go first in the next one. */
  const approach = (): void => {
    const [taken, left] = connections.take(arrived, requestsMax)
    arrived = left
    const hasTime = stopwatch(options)
    const late = new Set<Traveller>()
    for (let at = 0; at < gate; at += 1) {
      for (const traveller of taken) {
        if (traveller.at !== at) continue
        if (hasTime()) step(traveller)
        else late.add(traveller)
      }
    }
    if (late.size > 0) arrived = [...taken.filter((each) => late.has(each)), ...arrived]
    for (const traveller of taken) if (traveller.at === gate) join(traveller)
  }
  /** Takes requests through all stages from the first on that they need not wait for. */
  const advance = (moving: readonly Traveller[], first: number): void => {
    for (let at = first; at <= stages.length; at += 1) {
      for (const traveller of moving) if (traveller.at === at) step(traveller)
    }
    connections.free(moving)
  }
  const turn = (): void => {
    planned = false
    if (arrived.length > 0) approach()
    // A request that failed before the gate is among them, and passes it without waiting for room.
    advance(behindGate.splice(0), 0)
    const entering: Traveller[] = []
    // A request that is sent back waits for the next turn.
    for (const hasRoom = room.open(atGate.size); hasRoom();) {
      const traveller = atGate.shift()
      if (traveller === undefined) break
      entering.push(traveller)
      step(traveller)
    }
    advance(entering, gate + 1)
    room.close()
    if (arrived.length + atGate.size + behindGate.length > 0) plan()
  }
  return (value, connection) =>
    new Promise((resolve, reject) => {
      const done = resolve as Traveller['resolve'] // the last stage's type is the list's
      arrived.push({ at: 0, value, connection, resolve: done, reject })
      plan()
    })
}

/** Takes one step with a traveller. One that has to wait, or to start again, joins when it can go on. */
function stepper<Input, Output, AtGate, Reached>(
  { stages, gate }: StageList<Input, Output, AtGate, Reached>,
  join: Join,
): (traveller: Traveller) => void {
  const goOn = (traveller: Traveller, value: unknown): void => {
    traveller.value = value
    traveller.at += 1
  }
  const goBack = (traveller: Traveller, { value }: Again<unknown>): void => {
    traveller.value = value
    traveller.at = gate
    join(traveller)
  }
  const fail = (traveller: Traveller, error: unknown): void => {
    const { value } = traveller
    const reached = value instanceof StepFailed ? value.reached : value
    goOn(traveller, error instanceof StepFailed ? error : new StepFailed(reached, error))
  }
  const leave = async (traveller: Traveller, awaited: Promise<unknown>): Promise<void> => {
    try {
      const value = await awaited
      if (value instanceof Again) return goBack(traveller, value)
      goOn(traveller, value)
    } catch (error) {
      fail(traveller, error)
    }
    join(traveller)
  }
  return (traveller) => {
    const { at, value, resolve, reject } = traveller
    const stage = stages[at]
    if (stage === undefined) return value instanceof StepFailed ? reject(value) : resolve(value)
    if (value instanceof StepFailed && !stage.settles) return goOn(traveller, value)
    try {
      const next = stage.run(value)
      if (next instanceof Promise) void leave(traveller, next)
      else if (next instanceof Again) goBack(traveller, next)
      else goOn(traveller, next)
    } catch (error) {
      fail(traveller, error)
    }
  }
}

/** Whether a turn has time for one more. It has time for one in any case, so that requests get on. */
function stopwatch<AtGate>({ now, msMax }: RunnerOptions<AtGate>): () => boolean {
  const started = now()
  let first = true
  return () => {
    const mayTake = first || now() - started < msMax
    first = false
    return mayTake
  }
}

/** How many requests a turn lets through the gate. What they cost shows only behind it. */
function roomOfTurns<AtGate>(options: RunnerOptions<AtGate>): {
  /** Called before the first. @returns whether it lets one more through, of those that wait */
  open(waiting: number): () => boolean
  /** Called when all that it let through have finished their turn. */
  close(): void
} {
  const { requestsMax, turnMsMax, now } = options
  let most = requestsMax
  let started = 0
  return {
    open(waiting) {
      started = now()
      const hasTime = stopwatch(options)
      let left = Math.min(most, waiting)
      return () => (left -= 1) >= 0 && hasTime()
    },
    close() {
      const wasLong = now() - started > turnMsMax
      most = wasLong ? Math.ceil(most / 4) : Math.min(requestsMax, most + 1)
    },
  }
}

/** Admits one request of each connection, from the turn that takes it to the turn that lets it through. */
function oneEach(): {
  /** @returns those that a turn takes, in order, and those that are left */
  take(
    arrived: readonly Traveller[],
    most: number,
  ): readonly [taken: Traveller[], left: Traveller[]]
  free(travellers: readonly Traveller[]): void
} {
  const entered = new Map<object, Traveller>()
  return {
    take(arrived, most) {
      const taken: Traveller[] = []
      const left: Traveller[] = []
      for (const traveller of arrived) {
        const { connection } = traveller
        const first = connection === undefined ? traveller : (entered.get(connection) ?? traveller)
        if (first !== traveller || taken.length === most) {
          left.push(traveller)
          continue
        }
        if (connection !== undefined) entered.set(connection, traveller)
        taken.push(traveller)
      }
      return [taken, left]
    },
    free(travellers) {
      for (const traveller of travellers) {
        const { connection } = traveller
        if (connection !== undefined && entered.get(connection) === traveller) {
          entered.delete(connection)
        }
      }
    },
  }
}
