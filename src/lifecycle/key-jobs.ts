/** The jobs, in the order in which they follow from each other. @module */
import type { Logger } from 'pino'
import { createJobs, type Job, type Jobs } from '../jobs/jobs.ts'
import type { MovableClock } from '../jobs/clock.ts'
import type { Store } from '../store/store.ts'
import { createDeletionJobs, type DeletionJobsPorts } from './deletion-jobs.ts'
import { createExpiryJobs, type ExpiryJobsPorts } from './expiry-jobs.ts'
import { createRotationJobs, type RotationJobsPorts } from './rotation-jobs.ts'
import { createTransitionJobs, type TransitionJobsPorts } from './transition-jobs.ts'

export type KeyJobsPorts = RotationJobsPorts &
  DeletionJobsPorts &
  TransitionJobsPorts &
  ExpiryJobsPorts & {
    readonly store: Pick<Store, 'saveClockMark'>
    readonly clock: MovableClock
    readonly log: Logger
  }

/** @param more jobs that are about no key */
export function createKeyJobs(ports: KeyJobsPorts, more: readonly Job[] = []): Jobs {
  const { clock, log } = ports
  const { job: markClock, mark } = clockMarks(ports)
  const jobs = [
    markClock,
    ...createTransitionJobs(ports),
    ...createDeletionJobs(ports),
    ...createExpiryJobs(ports),
    ...createRotationJobs(ports),
    ...more,
  ]
  let told: string | undefined
  const running = createJobs({
    jobs,
    clock,
    held: () => {
      const reason = clock.held()
      if (reason !== told && reason !== undefined) {
        log.error({ reason }, 'nothing is deleted until `trent clock accept`')
      }
      told = reason
      return reason
    },
    onError: (job, error) => log.error({ err: error, job }, 'a job failed: it is tried again'),
  })
  return {
    ...running,
    async close() {
      await running.close()
      await mark()
    },
  }
}

/** How far the clock may come between two marks: a crash may set it back by as much. */
const markedEveryMs = 60_000

interface ClockMarks {
  readonly job: Job
  /** Marks the time of a stop. */
  readonly mark: () => Promise<void>
}

/** A time that nobody vouches for is no mark. */
function clockMarks({ store, clock }: Pick<KeyJobsPorts, 'store' | 'clock'>): ClockMarks {
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
      name: 'mark how far the clock has come',
      run: async () => {
        if (clock.reached() - marked >= markedEveryMs) await mark()
        return false
      },
    },
  }
}
