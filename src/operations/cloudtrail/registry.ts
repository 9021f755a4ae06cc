/** The operations of CloudTrail by name. @module */
import { createTrail } from './create-trail.ts'
import { deleteTrail } from './delete-trail.ts'
import { describeTrails } from './describe-trails.ts'
import { getEventSelectors } from './get-event-selectors.ts'
import { getTrail } from './get-trail.ts'
import { getTrailStatus } from './get-trail-status.ts'
import { listPublicKeys } from './list-public-keys.ts'
import { listTrails } from './list-trails.ts'
import { lookupEvents } from './lookup-events.ts'
import { putEventSelectors } from './put-event-selectors.ts'
import { startLogging } from './start-logging.ts'
import { stopLogging } from './stop-logging.ts'
import { updateTrail } from './update-trail.ts'
import { registryOf } from '../contract/registry.ts'

export const cloudtrailRegistry = registryOf([
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
])
