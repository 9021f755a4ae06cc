/** `trent completion`: prints what completes its commands in a shell. @module */
import type { Command } from 'commander'
import { bashCompletion } from './completion/bash.ts'
import { fishCompletion } from './completion/fish.ts'
import { completedCommands } from './completion/table.ts'
import { zshCompletion } from './completion/zsh.ts'

const shells = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const
export type Shell = keyof typeof shells

/** @param program with all commands */
export function completion(program: Command, shell: Shell): void {
  process.stdout.write(shells[shell](completedCommands(program)))
}
