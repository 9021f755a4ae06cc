/** The jobs of keys, in the order in which they follow from each other. @module */
import type { Logger } from 'pino'
import { createJobs, type Job, type Jobs } from '../jobs/jobs.ts'
import { createServiceChanges, type ServiceChangePorts } from './service-changes.ts'

export type KeyJobsPorts = ServiceChangePorts & { readonly log: Logger }

export function createKeyJobs(ports: KeyJobsPorts): Jobs {
  const { clock, log } = ports
  createServiceChanges(ports)
  const jobs: readonly Job[] = []
  return createJobs({
    jobs,
    clock,
    onError: (job, error) => log.error({ err: error, job }, 'a job failed: it is tried again'),
  })
}
