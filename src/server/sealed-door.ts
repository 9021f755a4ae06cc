/**
 * The operators' socket of a sealed server: status, initialisation and unsealing. Every other call gets
 * one clear error. Nothing can be recorded yet; the record of the unsealing says how it went.
 * @module
 */
import type { Logger } from 'pino'
import { systemRandom } from '../crypto/entropy.ts'
import { KmsError } from '../errors.ts'
import { integer, readInput, required, ShapeMismatch, text, type Members } from '../model/shape.ts'
import { unknownOperator } from '../authenticate/identify.ts'
import { shownOperator } from '../model/operator.ts'
import { operatorOf } from '../operator/operators.ts'
import { SealRefused, SealUnavailable } from '../seals/seal.ts'
import { SealReplaced } from '../store/tables/other-seals.ts'
import { version } from '../version.ts'
import { readBody, readTarget, renderAnswer, renderError } from '../wire/aws-json.ts'
import type { Handler } from '../wire/exchange.ts'
import type { RawRequest } from '../wire/request.ts'
import { validationError } from '../wire/validation-message.ts'
import type { SealState, Unsealing } from './unseal-parts.ts'

export interface SealedStatus {
  readonly version: string
  readonly ready: false
  /** False while an unsealed server opens what depends on its root key. */
  readonly sealed: boolean
  /** ISO 8601, UTC. */
  readonly startedAt: string
  readonly seal?: SealState
}

const secretCharactersMax = 4096
const secretText = text({ min: 1, max: secretCharactersMax, sensitive: true })
const initializeInput = { passphrase: secretText, shares: integer(), threshold: integer() }
const unsealInput = { secret: required(secretText) }

/** @param of.unsealing undefined until the seal is chosen */
export function createSealedDoor(of: {
  readonly unsealing: () => Unsealing | undefined
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  readonly log: Pick<Logger, 'error'>
}): Handler {
  const status = async (): Promise<SealedStatus> => {
    const unsealing = of.unsealing()
    const startedAt = new Date(of.startedAt).toISOString()
    const seal = await unsealing?.state()
    const isSealed = unsealing?.isOpen() !== true
    return { version, ready: false, sealed: isSealed, startedAt, ...(seal && { seal }) }
  }
  const answer = async (request: RawRequest): Promise<unknown> => {
    const { operation } = readTarget(request)
    if (operation === 'GetStatus') return status()
    const unsealing = of.unsealing()
    if (unsealing === undefined) throw notOpen()
    if (operation !== 'Initialize' && operation !== 'Unseal') throw notOpen()
    const operator = operatorOf(request)
    if (operator === undefined) throw unknownOperator()
    if (operation === 'Initialize') {
      const { passphrase, ...wanted } = inputOf(initializeInput, request)
      const given = passphrase === undefined ? undefined : Buffer.from(passphrase)
      return unsealing
        .initialize({ ...wanted, ...(given && { passphrase: given }) }, shownOperator(operator))
        .finally(() => given?.fill(0))
    }
    return unsealing.give(readSecret(request), shownOperator(operator))
  }
  return answering(of.log, answer)
}

/** Renders answers and refusals of calls that no pipeline serves. */
export function answering(
  log: Pick<Logger, 'error'>,
  answer: (request: RawRequest) => Promise<unknown>,
): Handler {
  return async (request) => {
    const requestId = systemRandom.uuid()
    try {
      return renderAnswer(await answer(request), requestId)
    } catch (error) {
      const shown = asKmsError(error)
      if (!(shown instanceof KmsError)) log.error({ err: error, requestId }, 'a call failed')
      return renderError(shown, requestId)
    }
  }
}

/** The share or passphrase that somebody gives, UTF-8. @throws {KmsError} */
export function readSecret(request: RawRequest): Buffer {
  return Buffer.from(inputOf(unsealInput, request).secret)
}

function inputOf<M extends Members>(
  members: M,
  request: RawRequest,
): ReturnType<typeof readInput<M>>['input'] {
  const { input, failures } = readInput(members, readBody(request))
  if (failures.length > 0) throw validationError(failures)
  return input
}

/** What a caller may see of a failed seal. Other errors stay internal. */
export function asKmsError(error: unknown): unknown {
  if (error instanceof SealRefused || error instanceof SealReplaced) {
    return new KmsError('ValidationException', error.message, { cause: error })
  }
  if (error instanceof ShapeMismatch) return new KmsError('SerializationException')
  if (error instanceof SealUnavailable) {
    return new KmsError('DependencyTimeoutException', error.message, { cause: error })
  }
  return error
}

function notOpen(): KmsError {
  const message = 'the server is not ready: its root key is not open'
  return new KmsError('ServiceUnavailableException', message)
}
