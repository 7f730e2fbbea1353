import type { Command } from "commander";
import { type CliIO, print } from "#cli/io.ts";
import { UserError } from "#core/failure.ts";

const scripts: Record<string, (commands: readonly Completion[]) => string> = { bash, zsh, fish };

interface Completion {
  name: string;
  summary: string;
  flags: string[];
}

/** `towpath completion SHELL`: a script made from the commands themselves. */
export function completion(shell: string, program: Command, io: CliIO): void {
  const script = scripts[shell];
  if (!script) {
    throw new UserError(`No completion for "${shell}"`, {
      hint: `one of ${Object.keys(scripts).join(", ")}`,
    });
  }
  print(io, script(program.commands.map(completionOf)));
}

function completionOf(command: Command): Completion {
  return {
    name: command.name(),
    summary: command.description(),
    flags: command.options.flatMap(({ long }) => long ?? []),
  };
}

function bash(commands: readonly Completion[]): string {
  const cases = commands.map(({ name, flags }) => `    ${name}) words="${flags.join(" ")}" ;;`).join("\n");
  return `_towpath() {
  local words="${commands.map(({ name }) => name).join(" ")}"
  case "\${COMP_WORDS[1]}" in
${cases}
  esac
  [ "$COMP_CWORD" -eq 1 ] && words="${commands.map(({ name }) => name).join(" ")}"
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _towpath towpath`;
}

function zsh(commands: readonly Completion[]): string {
  return `autoload -U +X bashcompinit && bashcompinit\n${bash(commands)}`;
}

function fish(commands: readonly Completion[]): string {
  const quote = (text: string) => `'${text.replaceAll("'", "\\'")}'`;
  return commands
    .flatMap(({ name, summary, flags }) => [
      `complete -c towpath -n __fish_use_subcommand -f -a ${name} -d ${quote(summary)}`,
      ...flags.map(
        (flag) => `complete -c towpath -n '__fish_seen_subcommand_from ${name}' -l ${flag.slice(2)}`,
      ),
    ])
    .join("\n");
}
