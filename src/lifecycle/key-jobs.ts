/** The jobs of keys, in the order in which they follow from each other. @module */
import type { Logger } from 'pino'
import { createJobs, type Jobs } from '../jobs/jobs.ts'
import { createRotationJobs, type RotationJobsPorts } from './rotation-jobs.ts'
import { createServiceChanges, type ServiceChangePorts } from './service-changes.ts'

export type KeyJobsPorts = ServiceChangePorts &
  Omit<RotationJobsPorts, 'changes'> & { readonly log: Logger }

export function createKeyJobs(ports: KeyJobsPorts): Jobs {
  const { clock, log } = ports
  const changes = createServiceChanges(ports)
  return createJobs({
    jobs: createRotationJobs({ ...ports, changes }),
    clock,
    onError: (job, error) => log.error({ err: error, job }, 'a job failed: it is tried again'),
  })
}
