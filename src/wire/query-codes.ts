/**
 * Error codes of AWS's Query services: without the suffix `Exception`, and with other HTTP statuses
 * than in KMS. The Query protocol uses them, and so does the header that adds them to JSON answers.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
 * @see
 *   https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#aws-protocols-awsquerycompatible-trait
 * @module
 */
import { statusOf, type ErrorCode } from '../errors.ts'

export interface QueryCode {
  readonly name: string
  readonly status: number
}

/** Codes that differ from the KMS name without its suffix. */
const codes: Readonly<Partial<Record<ErrorCode, QueryCode>>> = {
  AccessDeniedException: { name: 'AccessDenied', status: 403 },
  DeleteConflictException: { name: 'DeleteConflict', status: 409 },
  EntityAlreadyExistsException: { name: 'EntityAlreadyExists', status: 409 },
  InvalidMarkerException: { name: 'ValidationError', status: 400 },
  InvalidSignatureException: { name: 'SignatureDoesNotMatch', status: 403 },
  KMSInternalException: { name: 'InternalFailure', status: 500 },
  LimitExceededException: { name: 'LimitExceeded', status: 409 },
  MissingAuthenticationTokenException: { name: 'MissingAuthenticationToken', status: 403 },
  MissingRequiredParameterException: { name: 'MissingParameter', status: 400 },
  NoSuchEntityException: { name: 'NoSuchEntity', status: 404 },
  SerializationException: { name: 'MalformedInput', status: 400 },
  UnknownOperationException: { name: 'InvalidAction', status: 400 },
  // STS has two codes: one for a session's token, one for an identity token.
  ExpiredIdentityTokenException: { name: 'ExpiredTokenException', status: 400 },
  ExpiredTokenException: { name: 'ExpiredToken', status: 403 },
  UnrecognizedClientException: { name: 'InvalidClientTokenId', status: 403 },
  ValidationException: { name: 'ValidationError', status: 400 },
}

/** The code's entry in the table. Otherwise the KMS name without its suffix. */
export function queryCodeOf(code: ErrorCode): QueryCode {
  return codes[code] ?? { name: code.replace(/Exception$/, ''), status: statusOf(code) }
}
