/**
 * A line of the log, written for people. Callers control names in it, so everything that a terminal could
 * obey is escaped.
 * @module
 */
import { visible } from '../model/visible.ts'

type Style = 'dim' | 'green' | 'yellow' | 'red'
/** Adds the colour of a style, or none. */
export type Paint = (style: Style, text: string) => string

type Fields = Readonly<Record<string, unknown>>

/** pino's numbers of levels. */
const levels: Readonly<Record<number, readonly [name: string, style: Style]>> = {
  10: ['trace', 'dim'],
  20: ['debug', 'dim'],
  30: ['info', 'green'],
  40: ['warning', 'yellow'],
  50: ['error', 'red'],
  60: ['fatal', 'red'],
}

/** @param line one line of pino's JSON @returns one or more lines, each with its line break */
export function readableLine(line: string, paint: Paint): string {
  const { level, time, pid: _, hostname: __, msg, request, err, ...details } = fieldsOf(line)
  const at = paint('dim', new Date(Number(time)).toTimeString().slice(0, 8))
  if (request !== undefined) return `${at} ${requestText(fields(request), paint)}\n`
  const [name, style] = levels[Number(level)] ?? ['', 'dim']
  const { message, stack } = fields(err)
  const said = [msg, message].filter((each) => typeof each === 'string').join(': ')
  const more = Object.entries(details).map(([key, value]) => `${key}=${JSON.stringify(value)}`)
  const rest = [visible(said), ...more.map((each) => paint('dim', visible(each)))].join(' ')
  return `${at} ${paint(style, name)} ${rest}\n${typeof stack === 'string' ? stackText(stack) : ''}`
}

function requestText(request: Fields, paint: Paint): string {
  const { principal, operation, key, outcome, milliseconds } = request
  const isOk = outcome === 'success'
  // An outage is ours; anything else is the caller's.
  const style = isOk
    ? 'green'
    : /Internal|Unavailable|Timeout/.test(text(outcome))
      ? 'red'
      : 'yellow'
  return [
    visible(shortName(text(principal))),
    visible(text(operation)),
    ...(key === undefined ? [] : [visible(shortName(text(key)))]),
    paint(style, isOk ? 'ok' : visible(text(outcome))),
    paint('dim', `${Number(milliseconds)} ms`),
  ].join('  ')
}

/** `000000000000:user/alice` of its ARN, and `alias/app` of that of an alias. */
function shortName(name: string): string {
  const [, service, account = '', resource] =
    /^arn:[^:]*:([^:]*):[^:]*:([^:]*):(.*)$/s.exec(name) ?? []
  if (resource === undefined) return name
  return service === 'kms' ? resource : `${account}:${resource}`
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '-'
}

function stackText(stack: string): string {
  const [, ...frames] = stack.split('\n')
  return frames.map((frame) => `    ${visible(frame.trim())}\n`).join('')
}

function fieldsOf(line: string): Fields {
  try {
    return fields(JSON.parse(line))
  } catch {
    return { msg: line.trimEnd() }
  }
}

function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
