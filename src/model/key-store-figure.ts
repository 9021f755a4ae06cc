/**
 * Figures of external key stores over time, with AWS's names and dimensions.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/monitoring-cloudwatch.html
 * @module
 */
import type { CustomKeyStoreRef } from './custom-key-store.ts'

/** The dimensions of each figure besides `CustomKeyStoreId`, and its unit. */
export const keyStoreFigures = {
  XksProxyErrors: {
    dimensions: ['KmsOperation', 'XksOperation', 'KeySpec', 'ErrorType', 'ExceptionName'],
    unit: 'Count',
  },
  XksProxyLatency: {
    dimensions: ['KmsOperation', 'XksOperation', 'KeySpec'],
    unit: 'Milliseconds',
  },
  /** In days. */
  XksProxyCredentialAge: { dimensions: [], unit: 'Count' },
  XksProxyCertificateDaysToExpire: { dimensions: ['CertificateName'], unit: 'Count' },
  XksExternalKeyManagerStates: { dimensions: ['XksExternalKeyManagerState'], unit: 'Count' },
  ExternalKeyStoreThrottle: { dimensions: ['KmsOperation', 'KeySpec'], unit: 'Count' },
} as const satisfies Readonly<
  Record<string, { readonly dimensions: readonly string[]; readonly unit: string }>
>

export type KeyStoreFigureName = keyof typeof keyStoreFigures

/** One figure of a store. Values of the same name and dimensions are one series. */
export interface KeyStoreFigureRef extends CustomKeyStoreRef {
  readonly name: KeyStoreFigureName
  /** JSON: the values of the dimensions, in their order. */
  readonly dimensions: string
}

/** The values of one period. */
export interface KeyStoreFigure extends KeyStoreFigureRef {
  readonly period: 'minute' | 'hour'
  /** Milliseconds since the epoch; a multiple of the period. */
  readonly start: number
  readonly samples: number
  readonly sum: number
  readonly minimum: number
  readonly maximum: number
}
