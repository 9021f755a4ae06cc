/** The commands about several nodes, as `main.ts` declares the others. @module */
import type { Command } from 'commander'
import type { drainNode, retireNode } from './node.ts'

export function addNodeCommands(program: Command, configFile: () => string | undefined): void {
  const node = program.command('node').description('the nodes that serve the deployment')
  node
    .command('list')
    .description('show the nodes, when each last confirmed, and where its journal ends')
    .option('--json', 'answer in JSON')
    .action(async (options: { json?: true }) =>
      (await import('./node.ts')).listNodes(configFile(), options),
    )
  node
    .command('drain')
    .description('deliver everything that the node of this machine holds, end it and retire it')
    .option('--last', 'also if no other node serves')
    .option('--json', 'answer in JSON')
    .action(async (options: Parameters<typeof drainNode>[1]) =>
      (await import('./node.ts')).drainNode(configFile(), options),
    )
  node
    .command('retire <id>')
    .description('give up a lost node, with the records that only its journal holds')
    .option('--yes', 'that is meant')
    .option('--json', 'answer in JSON')
    .action(async (id: string, options: Parameters<typeof retireNode>[2]) =>
      (await import('./node.ts')).retireNode(configFile(), id, options),
    )
}
