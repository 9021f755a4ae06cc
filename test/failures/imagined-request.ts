/** What the imagined operations work with. @module */
import type { Login, Output, Who } from './calls.ts'

export class Refused extends Error {}

export type Input = Readonly<Record<string, unknown>>

export interface Request {
  readonly who: Who | Login
  readonly input: Input
  /** The moment whose state decides a use. */
  readonly asOf: number
  readonly region: string
}

/** The memory of all nodes, with every value that a cell had. */
export interface Cells {
  readonly read: (cell: string, asOf?: number) => string
  readonly write: (cell: string, value: string) => void
}

export type Imagined = Readonly<Record<string, (request: Request) => Output | undefined | void>>

export function text(input: Input, member: string): string {
  const value = input[member]
  return typeof value === 'string' ? value : ''
}
