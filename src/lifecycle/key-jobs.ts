/** The jobs on keys, in the order in which they depend on each other. @module */
import type { Logger } from 'pino'
import { createJobs, type Job, type Jobs } from '../jobs/jobs.ts'
import type { MovableClock } from '../jobs/clock.ts'
import type { Store } from '../store/store.ts'
import { createConnectionJobs, type ConnectionJobsDependencies } from './connection-jobs.ts'
import { createDeletionJobs, type DeletionJobsDependencies } from './deletion-jobs.ts'
import { createExpiryJobs, type ExpiryJobsDependencies } from './expiry-jobs.ts'
import { createHsmObjectJobs, type HsmObjectJobsDependencies } from './hsm-object-jobs.ts'
import { createRotationJobs, type RotationJobsDependencies } from './rotation-jobs.ts'
import { createTransitionJobs, type TransitionJobsDependencies } from './transition-jobs.ts'

export type KeyJobsDependencies = RotationJobsDependencies &
  DeletionJobsDependencies &
  TransitionJobsDependencies &
  ExpiryJobsDependencies &
  ConnectionJobsDependencies &
  HsmObjectJobsDependencies & {
    readonly store: Pick<Store, 'saveClockMark'>
    readonly clock: MovableClock
    readonly log: Logger
  }

/** @param more jobs that are not about keys */
export function createKeyJobs(dependencies: KeyJobsDependencies, more: readonly Job[] = []): Jobs {
  const { clock, log } = dependencies
  const { job: markClock, mark } = clockMarks(dependencies)
  const jobs = [
    markClock,
    ...createTransitionJobs(dependencies),
    ...createConnectionJobs(dependencies),
    ...createDeletionJobs(dependencies),
    ...createHsmObjectJobs(dependencies),
    ...createExpiryJobs(dependencies),
    ...createRotationJobs(dependencies),
    ...more,
  ]
  let logged: string | undefined
  const running = createJobs({
    jobs,
    clock,
    held: () => {
      const reason = clock.held()
      if (reason !== logged && reason !== undefined) {
        log.error({ reason }, 'nothing is deleted until `trent clock accept`')
      }
      logged = reason
      return reason
    },
    onError: (job, error) => log.error({ err: error, job }, 'a job failed and will be retried'),
  })
  return {
    ...running,
    async close() {
      await running.close()
      await mark()
    },
  }
}

/** Period between two marks of the clock: a crash may set it back by as much. */
const markedEveryMs = 60_000

interface ClockMarks {
  readonly job: Job
  /** Stores the time at a stop. */
  readonly mark: () => Promise<void>
}

/** Stores no mark while the clock is held. */
function clockMarks({ store, clock }: Pick<KeyJobsDependencies, 'store' | 'clock'>): ClockMarks {
  let marked = 0
  const mark = async (): Promise<void> => {
    if (clock.held() !== undefined) return
    const reached = clock.reached()
    await store.saveClockMark(reached)
    marked = reached
  }
  return {
    mark,
    job: {
      name: 'save the time that the clock has reached',
      run: async () => {
        if (clock.reached() - marked >= markedEveryMs) await mark()
        return false
      },
    },
  }
}
