/** Every operation of CloudTrail that there is; the wire's names lead here. @module */
import { createTrail } from './cloudtrail/create-trail.ts'
import { deleteTrail } from './cloudtrail/delete-trail.ts'
import { describeTrails } from './cloudtrail/describe-trails.ts'
import { getEventSelectors } from './cloudtrail/get-event-selectors.ts'
import { getTrail } from './cloudtrail/get-trail.ts'
import { getTrailStatus } from './cloudtrail/get-trail-status.ts'
import { listPublicKeys } from './cloudtrail/list-public-keys.ts'
import { listTrails } from './cloudtrail/list-trails.ts'
import { lookupEvents } from './cloudtrail/lookup-events.ts'
import { putEventSelectors } from './cloudtrail/put-event-selectors.ts'
import { startLogging } from './cloudtrail/start-logging.ts'
import { stopLogging } from './cloudtrail/stop-logging.ts'
import { updateTrail } from './cloudtrail/update-trail.ts'
import type { Operation } from './operation.ts'

const operations: readonly Operation[] = [
  createTrail,
  deleteTrail,
  describeTrails,
  getEventSelectors,
  getTrail,
  getTrailStatus,
  listPublicKeys,
  listTrails,
  lookupEvents,
  putEventSelectors,
  startLogging,
  stopLogging,
  updateTrail,
]

/** By `<service>:<name>`, for example `cloudtrail:LookupEvents`. */
export const trailRegistry: ReadonlyMap<string, Operation> = new Map(
  operations.map((known) => [`${known.service}:${known.name}`, known]),
)
