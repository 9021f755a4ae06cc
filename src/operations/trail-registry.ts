/** Every operation of CloudTrail that there is; the wire's names lead here. @module */
import { lookupEvents } from './cloudtrail/lookup-events.ts'
import type { Operation } from './operation.ts'

const operations: readonly Operation[] = [lookupEvents]

/** By `<service>:<name>`, for example `cloudtrail:LookupEvents`. */
export const trailRegistry: ReadonlyMap<string, Operation> = new Map(
  operations.map((known) => [`${known.service}:${known.name}`, known]),
)
