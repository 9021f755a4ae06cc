/** Whether the server serves calls, as `/readyz` tells anybody. @module */

export interface Readiness {
  readonly ready: boolean
  readonly reasons: readonly string[]
}

/** @throws when the server does not answer */
export async function readReadiness(): Promise<Readiness> {
  const response = await fetch('/readyz', { cache: 'no-store', redirect: 'error' })
  const { reasons = [] } = (await response.json()) as { readonly reasons?: readonly string[] }
  return { ready: response.ok, reasons }
}
