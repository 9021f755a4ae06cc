/**
 * A bounded number of opened key materials. Those that were used recently stay open, and an unused one
 * for at most twice its idle time. Callers that wait for the same material share one load.
 * @module
 */
import { createRecent, type Recent } from '../../model/recent.ts'
import type { Clock } from '../../model/clock.ts'

export interface HandleLimits {
  /** Most open materials. */
  readonly max: number
  /** Milliseconds after which an unused material is closed. */
  readonly idleMs: number
}

export interface Handles<T> {
  /** Returns an open material without waiting. */
  readonly peek: (materialId: string) => T | undefined
  /** Returns the open material, or the result of `load`. Undefined is not kept. */
  readonly get: (materialId: string, load: () => Promise<T | undefined>) => Promise<T | undefined>
  /** Closes one material, or all. A load that is under way is not kept. */
  readonly forget: (materialId?: string) => void
  readonly size: () => number
}

interface OpenHandles<T> {
  readonly peek: (materialId: string) => T | undefined
  readonly keep: (materialId: string, value: T) => void
  readonly byId: Recent<Entry<T>>
}

interface Entry<T> {
  readonly value: T
  /** By the system's clock, which tests cannot move. */
  usedAt: number
}

export function createHandles<T>(limits: HandleLimits, clock: Clock): Handles<T> {
  const open = createOpenHandles<T>(limits, clock)
  const loading = new Map<string, Promise<T | undefined>>()

  const start = (
    materialId: string,
    load: () => Promise<T | undefined>,
  ): Promise<T | undefined> => {
    const loaded = load()
      .then((value) => {
        // If the material was forgotten during the load, the loaded value may be out of date.
        const wanted = loading.get(materialId) === loaded
        if (wanted && value !== undefined) open.keep(materialId, value)
        return value
      })
      .finally(() => {
        if (loading.get(materialId) === loaded) loading.delete(materialId)
      })
    loading.set(materialId, loaded)
    return loaded
  }
  return {
    peek: open.peek,
    get: async (materialId, load) =>
      open.peek(materialId) ?? (await (loading.get(materialId) ?? start(materialId, load))),
    forget: (materialId) => {
      if (materialId === undefined) {
        open.byId.clear()
        loading.clear()
      } else {
        open.byId.delete(materialId)
        loading.delete(materialId)
      }
    },
    size: () => open.byId.size,
  }
}

function createOpenHandles<T>(limits: HandleLimits, clock: Clock): OpenHandles<T> {
  // Each takes one place.
  const byId = createRecent<Entry<T>>(limits.max)
  let timer: NodeJS.Timeout | undefined

  const isIdle = ({ usedAt }: Entry<T>, now: number): boolean => now - usedAt >= limits.idleMs
  const closeIdle = (): void => {
    const now = clock.system()
    for (const [materialId, entry] of byId.entries())
      if (isIdle(entry, now)) byId.delete(materialId)
  }
  const sweepLater = (): void => {
    timer ??= setTimeout(() => {
      timer = undefined
      closeIdle()
      if (byId.size > 0) sweepLater()
    }, limits.idleMs).unref()
  }
  return {
    byId,
    peek: (materialId) => {
      const entry = byId.get(materialId)
      if (entry === undefined) return undefined
      const now = clock.system()
      if (isIdle(entry, now)) {
        byId.delete(materialId)
        return undefined
      }
      entry.usedAt = now
      return entry.value
    },
    keep: (materialId, value) => {
      byId.set(materialId, { value, usedAt: clock.system() }, 1)
      sweepLater()
    },
  }
}
