/**
 * Refuses calls before their body is read, if the body did not come with the head and the refusal is certain.
 * The pipeline decides all other calls from the start.
 * @module
 */
import { requireKnownSigner } from '../authenticate/known-signer.ts'
import { KmsError } from '../errors.ts'
import { doorsTo } from '../authenticate/identify.ts'
import { findOperation } from './arrive.ts'
import type { Target } from '../wire/aws-json.ts'
import { isPresigned, isQuery, queryServices } from '../wire/aws-query.ts'
import type { Screened } from '../wire/exchange.ts'
import { firstHeader } from '../wire/headers.ts'
import { protocolOf } from '../wire/protocol.ts'
import type { RequestHead } from '../wire/request.ts'
import type { PipelineDependencies } from './dependencies.ts'

/** Largest unsigned form: an identity token, session policies and their ARNs, escaped. */
const unsignedFormBytesMax = 128 * 1024

const noBody = Buffer.alloc(0)

type ScreenDependencies = Pick<
  PipelineDependencies,
  | 'registry'
  | 'regions'
  | 'clock'
  | 'credentials'
  | 'refusals'
  | 'meter'
  | 'random'
  | 'log'
  | 'logAnswer'
  | 'store'
>

/** Never rejects. `target` is given by routes that are not AWS's API. */
export async function screenCall(
  head: RequestHead,
  dependencies: ScreenDependencies,
  target?: Target,
): Promise<Screened> {
  const { clock, credentials, random, registry, regions } = dependencies
  const started = performance.now()
  const form = target === undefined && isQuery(head) && !isPresigned(head)
  if (form && firstHeader(head.rawHeaders, 'authorization') === undefined) {
    return { bodyBytesMax: unsignedFormBytesMax }
  }
  const protocol = protocolOf(head)
  let named = target
  let operation: ReturnType<typeof findOperation> | undefined
  try {
    // A form names its operation in the body.
    if (!form) {
      named ??= protocol.readTarget({ ...head, body: noBody })
      operation = findOperation(named, registry)
      if (!doorsTo(head, target).includes(operation.door)) {
        throw new KmsError('UnknownOperationException')
      }
      if (operation.door !== 'signed' && operation.door !== 'service') return {}
    }
    // The call itself is refused: what this node knows of signers may be out of date.
    if (dependencies.store.freshness.refusal() !== undefined) return {}
    const services = operation === undefined ? queryServices : [operation.service]
    const expected = { services, regions, systemNow: clock.system() }
    await requireKnownSigner(head, expected, credentials).catch((error: unknown) => {
      if (error instanceof KmsError) dependencies.refusals.note(error.code, head.remoteAddress)
      throw error
    })
    return {}
  } catch (error) {
    // The call itself reports an outage.
    if (!(error instanceof KmsError)) return {}
    const requestId = random.uuid()
    const took = performance.now() - started
    dependencies.meter.answered(operation, error.code, took)
    dependencies.logAnswer?.({ requestId, ...(named && { target: named }) }, error.code, took)
    return { refusal: protocol.renderError(error, requestId, named) }
  }
}
