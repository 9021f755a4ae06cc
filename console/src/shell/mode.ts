/** Light and dark: as the system has it, until the user chooses. @module */
import { applyMode, Mode } from '@cloudscape-design/global-styles'

let chosen: Mode | undefined

const dark = matchMedia('(prefers-color-scheme: dark)')

function apply(): void {
  const mode = chosen ?? (dark.matches ? Mode.Dark : Mode.Light)
  applyMode(mode)
  document.documentElement.style.colorScheme = mode
}

/** Returns a function that stops it. */
export function followColorScheme(): () => void {
  apply()
  dark.addEventListener('change', apply)
  return () => dark.removeEventListener('change', apply)
}

export function chooseMode(mode: 'light' | 'dark' | 'system'): void {
  chosen = mode === 'system' ? undefined : mode === 'dark' ? Mode.Dark : Mode.Light
  apply()
}

export function isDark(): boolean {
  return chosen === undefined ? dark.matches : chosen === Mode.Dark
}
