/**
 * Collects the figures of external key stores, and adds them to the store every few seconds. A crash loses
 * those of the last seconds. They are bounded: callers decide how many stores there are.
 * @module
 */
import type { ProxyCallSeen } from '../keystores/external/external.ts'
import type { ProxyFailureKind } from '../keystores/external/proxy-failure.ts'
import type { Clock } from '../model/clock.ts'
import type { CustomKeyStoreRef } from '../model/custom-key-store.ts'
import type { KeyStoreFigure, KeyStoreFigureName } from '../model/key-store-figure.ts'
import { countPeriods } from '../model/usage.ts'
import type { Store } from '../store/store.ts'

export interface NotedFigure {
  readonly store: CustomKeyStoreRef
  readonly name: KeyStoreFigureName
  /** Values of its dimensions, in their order. */
  readonly dimensions: readonly string[]
  readonly value: number
}

export interface KeyStoreFigures {
  note(figure: NotedFigure): void
  /** Saves what is in memory. Nothing may be noted after this call, and the store must still be open. */
  close(): Promise<void>
}

const savedEveryMs = 5000
/** Series in memory. Further ones are not counted until the next save. */
const seriesMax = 5000

export function createKeyStoreFigures({
  store,
  clock,
  onError,
}: {
  readonly store: Pick<Store, 'saveKeyStoreFigures'>
  readonly clock: Pick<Clock, 'now'>
  readonly onError: (error: unknown) => void
}): KeyStoreFigures {
  let noted = new Map<string, KeyStoreFigure>()
  let saving: Promise<void> = Promise.resolve()
  const add = (figure: KeyStoreFigure): void => {
    const { accountId, region, storeId, name, dimensions, period, start } = figure
    const key = JSON.stringify([accountId, region, storeId, name, dimensions, period, start])
    const before = noted.get(key)
    if (before === undefined) {
      if (noted.size < seriesMax) noted.set(key, figure)
      return
    }
    noted.set(key, {
      ...before,
      samples: before.samples + figure.samples,
      sum: before.sum + figure.sum,
      minimum: Math.min(before.minimum, figure.minimum),
      maximum: Math.max(before.maximum, figure.maximum),
    })
  }
  const save = async (): Promise<void> => {
    if (noted.size === 0) return
    const figures = [...noted.values()]
    noted = new Map()
    try {
      await store.saveKeyStoreFigures(figures)
    } catch (error) {
      onError(error)
    }
  }
  const inTurn = (): Promise<void> => (saving = saving.then(save))
  const timer = setInterval(() => void inTurn(), savedEveryMs).unref()
  return {
    note({ store: { accountId, region, storeId }, name, dimensions, value }) {
      // Rows have whole numbers.
      const whole = Math.round(value)
      const numbers = { samples: 1, sum: whole, minimum: whole, maximum: whole }
      const of = { accountId, region, storeId, name, dimensions: JSON.stringify(dimensions) }
      for (const period of ['minute', 'hour'] as const) {
        add({ ...of, period, start: countPeriods[period].startOf(clock.now()), ...numbers })
      }
    },
    async close() {
      clearInterval(timer)
      await inTurn()
    },
  }
}

/** Failures after which the same call may succeed. */
const retryable: ReadonlySet<ProxyFailureKind> = new Set<ProxyFailureKind>([
  'DependencyTimeoutException',
  'InternalException',
  'ThrottlingException',
  'XksProxyTimeout',
  'XksProxyUnreachable',
])

/** The only spec of keys in external key stores. */
const keySpec = 'SYMMETRIC_DEFAULT'

/** Notes how long a call to a proxy took, and how it failed. */
export function noteCall(call: ProxyCallSeen, figures: Pick<KeyStoreFigures, 'note'>): void {
  const { proxy, kmsOperation, xksOperation, milliseconds, failure } = call
  const { store } = proxy
  if (store === undefined) return
  const dimensions = [kmsOperation, xksOperation, keySpec]
  figures.note({ store, name: 'XksProxyLatency', dimensions, value: milliseconds })
  if (failure === undefined) return
  const type = retryable.has(failure) ? 'Retryable errors' : 'Non-retryable errors'
  figures.note({
    store,
    name: 'XksProxyErrors',
    dimensions: [...dimensions, type, failure],
    value: 1,
  })
}

/** Notes a call that was refused because its key store gets too many. */
export function noteThrottle(
  store: CustomKeyStoreRef,
  kmsOperation: string,
  figures: Pick<KeyStoreFigures, 'note'>,
): void {
  const dimensions = [kmsOperation, keySpec]
  figures.note({ store, name: 'ExternalKeyStoreThrottle', dimensions, value: 1 })
}
