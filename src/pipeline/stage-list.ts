/**
 * A list of stages. Each stage takes the value that the one before it returns, so that a skipped or swapped
 * stage does not compile.
 * @module
 */
import type { Awaitable } from '../model/awaitable.ts'

/** Sends a request back to the gate of its list, with the value that it waits there with. */
export class Again<Value> {
  readonly value: Value

  constructor(value: Value) {
    this.value = value
  }
}

/** A stage failed, and the last value that its request reached. */
export class StepFailed<Reached = unknown> extends Error {
  readonly reached: Reached

  /** @param cause what the stage threw */
  constructor(reached: Reached, cause: unknown) {
    super('a step failed', { cause })
    this.reached = reached
  }
}

/**
 * The next value, at once or later. A stage throws to refuse: its request skips all stages up to the next one
 * that settles. It throws a `StepFailed` to name a later value than its input.
 */
export type Stage<Input, Next, AtGate> = (input: Input) => Awaitable<Next | Again<AtGate>>

/** A stage without its types. The list checks them while it is written. */
interface ListedStage {
  readonly run: (input: unknown) => unknown
  /** The stage takes failures too. */
  readonly settles: boolean
}

/** @param Reached everything that a failed request can have reached */
export class StageList<Input, Output, AtGate = never, Reached = never> {
  readonly stages: readonly ListedStage[]
  /** The index of the first stage behind the gate; 0 without a gate. */
  readonly gate: number

  constructor(stages: readonly ListedStage[] = [], gate = 0) {
    this.stages = stages
    this.gate = gate
  }

  /** Adds a stage. */
  stage<Next>(run: Stage<Output, Next, AtGate>): StageList<Input, Next, AtGate, Reached | Output> {
    return this.#with(run, false)
  }

  /** Adds a stage that gets the failure of any stage since the last one that settled. */
  settle<Next>(
    run: Stage<Output | StepFailed<Reached | Output>, Next, AtGate>,
  ): StageList<Input, Next, AtGate, Reached | Output> {
    return this.#with(run, true)
  }

  /** Requests wait here until a turn has room for them, and come back here to start again. */
  waitForRoom(): StageList<Input, Output, Output, Reached> {
    return new StageList(this.stages, this.stages.length)
  }

  /** Adds the stages of another list, with its gate. */
  join<Next, Gate, More>({
    stages,
    gate,
  }: StageList<Output, Next, Gate, More>): StageList<Input, Next, Gate, Reached | Output | More> {
    return new StageList([...this.stages, ...stages], this.stages.length + gate)
  }

  #with<Next>(run: unknown, settles: boolean): StageList<Input, Next, AtGate, Reached | Output> {
    const stage = { run: run as ListedStage['run'], settles } // its types were checked above
    return new StageList([...this.stages, stage], this.gate)
  }
}
