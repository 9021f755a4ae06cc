/**
 * Every wire error: its code, its HTTP status, and the one class that carries it. The statuses are
 * those that AWS KMS sends over AWS JSON 1.1: 400 for every fault of the client, whatever the model's
 * `httpError` trait says. The AWS Query protocol has other names and statuses.
 * @module
 */

const statuses = {
  AccessDeniedException: 400,
  AlreadyExistsException: 400,
  CloudHsmClusterInUseException: 400,
  CloudHsmClusterInvalidConfigurationException: 400,
  CloudHsmClusterNotActiveException: 400,
  CloudHsmClusterNotFoundException: 400,
  CloudHsmClusterNotRelatedException: 400,
  CloudTrailARNInvalidException: 400,
  ConflictException: 400,
  CustomKeyStoreHasCMKsException: 400,
  CustomKeyStoreInvalidStateException: 400,
  CustomKeyStoreNameInUseException: 400,
  CustomKeyStoreNotFoundException: 400,
  DeleteConflictException: 400,
  DependencyTimeoutException: 500,
  DisabledException: 400,
  DryRunOperationException: 400,
  EntityAlreadyExistsException: 400,
  ExpiredIdentityTokenException: 400,
  ExpiredImportTokenException: 400,
  ExpiredTokenException: 400,
  IDPCommunicationErrorException: 400,
  IncompleteSignatureException: 400,
  IncorrectKeyException: 400,
  IncorrectKeyMaterialException: 400,
  IncorrectTrustAnchorException: 400,
  InvalidAliasNameException: 400,
  InvalidArnException: 400,
  InvalidCiphertextException: 400,
  InvalidEventSelectorsException: 400,
  InvalidGrantIdException: 400,
  InvalidGrantTokenException: 400,
  InvalidHomeRegionException: 400,
  InvalidIdentityTokenException: 400,
  InvalidImportTokenException: 400,
  InvalidInputException: 400,
  InvalidKeyUsageException: 400,
  InvalidLookupAttributesException: 400,
  InvalidMarkerException: 400,
  InvalidMaxResultsException: 400,
  InvalidNextToken: 400,
  InvalidNextTokenException: 400,
  InvalidParameterCombinationException: 400,
  InvalidParameterException: 400,
  InvalidParameterValueException: 400,
  InvalidS3BucketNameException: 400,
  InvalidS3PrefixException: 400,
  InvalidSignatureException: 400,
  InvalidSnsTopicNameException: 400,
  InvalidTimeRangeException: 400,
  InvalidTokenException: 400,
  InvalidTrailNameException: 400,
  KMSInternalException: 500,
  KMSInvalidMacException: 400,
  KMSInvalidSignatureException: 400,
  KMSInvalidStateException: 400,
  KeyUnavailableException: 500,
  KmsKeyNotFoundException: 400,
  LimitExceededException: 400,
  MalformedPolicyDocumentException: 400,
  MaximumNumberOfTrailsExceededException: 400,
  MissingAuthenticationTokenException: 400,
  MissingRequiredParameterException: 400,
  NoSuchEntityException: 400,
  NotAuthorizedException: 400,
  NotFoundException: 400,
  OperationNotPermittedException: 400,
  PackedPolicyTooLargeException: 400,
  PolicyNotAttachableException: 400,
  RequestEntityTooLargeException: 413,
  S3BucketDoesNotExistException: 400,
  SerializationException: 400,
  ServiceUnavailableException: 503,
  TagException: 400,
  ThrottlingException: 400,
  TrailAlreadyExistsException: 400,
  TrailNotFoundException: 400,
  UnknownOperationException: 400,
  UnmodifiableEntityException: 400,
  UnrecognizedClientException: 400,
  UnsupportedOperationException: 400,
  ValidationException: 400,
  XksKeyAlreadyInUseException: 400,
  XksKeyInvalidConfigurationException: 400,
  XksKeyNotFoundException: 400,
  XksProxyIncorrectAuthenticationCredentialException: 400,
  XksProxyInvalidConfigurationException: 400,
  XksProxyInvalidResponseException: 400,
  XksProxyUriEndpointInUseException: 400,
  XksProxyUriInUseException: 400,
  XksProxyUriUnreachableException: 400,
  XksProxyVpcEndpointServiceInUseException: 400,
  XksProxyVpcEndpointServiceNotFoundException: 400,
} as const

/** The `__type` of an error on the wire. */
export type ErrorCode = keyof typeof statuses

/** The HTTP status of `code`. */
export function statusOf(code: ErrorCode): number {
  return statuses[code]
}

/**
 * An expected failure, in AWS's words. Any other thrown value is a bug or an outage. It reaches the
 * client as `KMSInternalException`, without detail.
 */
export class KmsError extends Error {
  readonly code: ErrorCode

  /** @param message omit it for the exceptions that AWS sends without one */
  constructor(code: ErrorCode, message = '', options?: ErrorOptions) {
    super(message, options)
    this.name = code
    this.code = code
  }
}
