/**
 * The rules of stages once more, as plainly as they can be put: everything at once, nothing remembered
 * that could be looked up. What it says of a pipeline, the real one must come to.
 */

export interface ModelStage {
  name: string;
  direct: boolean;
  upstream: string[];
  all: boolean;
  auto: boolean;
  /** Has what it holds verified by a run that somebody ends; verified at once otherwise. */
  verifies: boolean;
  /** Without steps. */
  passage: boolean;
}

export interface ModelPromotion {
  stage: string;
  freight: string;
  phase: "Pending" | "Running" | "Succeeded" | "Failed" | "Aborted";
  intent?: "hold" | "resume";
}

export type Outcome = "Pending" | "Successful" | "Failed" | "Error";

export class StageModel {
  readonly stages: readonly ModelStage[];
  /** The newest last. */
  readonly freight: string[] = [];
  readonly promotions: ModelPromotion[] = [];
  readonly held = new Map<string, string>();
  readonly verified = new Set<string>();
  readonly approved = new Set<string>();
  /** Names of stages, "project" and "everything". */
  readonly frozen = new Set<string>();
  /** The newest outcome of what was verified, by freight and stage. */
  private readonly outcomes = new Map<string, Outcome>();
  private readonly recorded = new Map<string, boolean>();
  private readonly healthy = new Set<string>();
  /** Stages that were to be verified once more. */
  private readonly asked = new Set<string>();

  constructor(stages: readonly ModelStage[]) {
    this.stages = stages;
  }

  isAvailable({ name, direct, upstream, all }: ModelStage, freight: string): boolean {
    if (direct || this.approved.has(`${freight} ${name}`)) return true;
    const isVerified = (stage: string) => this.verified.has(`${freight} ${stage}`);
    return all ? upstream.every(isVerified) : upstream.some(isVerified);
  }

  candidate(stage: ModelStage): string | undefined {
    return this.freight.findLast((freight) => this.isAvailable(stage, freight));
  }

  current(name: string): ModelPromotion | undefined {
    const active = this.active(name);
    const running = active.find(({ phase }) => phase === "Running");
    return running ?? (this.isFrozen(name) || this.isVerifying(name) ? undefined : active[0]);
  }

  /** Of what the stage holds; undefined where it was never verified by a run. */
  outcome(name: string): Outcome | undefined {
    return this.outcomes.get(`${this.held.get(name)} ${name}`);
  }

  isVerifying(name: string): boolean {
    return this.outcome(name) === "Pending";
  }

  reverify(name: string): void {
    this.asked.add(name);
    this.outcomes.set(`${this.held.get(name)} ${name}`, "Pending");
  }

  /** The verification that is under way comes to its end. */
  judge(name: string, outcome: Outcome): void {
    const mark = `${this.held.get(name)} ${name}`;
    this.outcomes.set(mark, outcome);
    if (outcome === "Successful") this.verified.add(mark);
    if (outcome === "Failed") this.verified.delete(mark);
    this.settle();
  }

  isFrozen(name: string): boolean {
    return [name, "project", "everything"].some((scope) => this.frozen.has(scope));
  }

  freeze(scope: string): void {
    this.frozen.add(scope);
  }

  unfreeze(scope: string): void {
    this.frozen.delete(scope);
    this.settle();
  }

  active(name: string): ModelPromotion[] {
    return this.promotions.filter(
      ({ stage, phase }) => stage === name && (phase === "Pending" || phase === "Running"),
    );
  }

  add(freight: string): void {
    this.freight.push(freight);
    this.settle();
  }

  promote(stage: ModelStage, freight: string): void {
    const intent = stage.auto ? (this.candidate(stage) === freight ? "resume" : "hold") : undefined;
    this.promotions.push({ stage: stage.name, freight, phase: "Pending", intent });
    this.settle();
  }

  approve(stage: ModelStage, freight: string): void {
    this.approved.add(`${freight} ${stage.name}`);
    this.settle();
  }

  /** A stage whose last promotion did not succeed is not verified until one does. */
  isHealthy(name: string): boolean {
    return this.healthy.has(name);
  }

  finish(promotion: ModelPromotion, phase: "Succeeded" | "Failed" | "Aborted"): void {
    // One that is aborted in the queue never came to the stage.
    if (phase === "Succeeded") this.healthy.add(promotion.stage);
    else if (phase === "Failed" || promotion.phase === "Running") this.healthy.delete(promotion.stage);
    promotion.phase = phase;
    if (promotion.intent !== undefined && phase !== "Aborted") {
      this.recorded.set(promotion.stage, promotion.intent === "hold");
    }
    if (phase === "Succeeded") {
      this.held.set(promotion.stage, promotion.freight);
      const mark = `${promotion.freight} ${promotion.stage}`;
      const verifies = this.stages.some(({ name, verifies }) => name === promotion.stage && verifies);
      // What was verified before is not verified again, unless somebody once asked for that: the request stays.
      if (!verifies) this.verified.add(mark);
      else if (!this.outcomes.has(mark) || this.asked.has(promotion.stage))
        this.outcomes.set(mark, "Pending");
    }
    this.settle();
  }

  isHeld(name: string): boolean {
    const intents = this.active(name).flatMap(({ intent }) => intent ?? []);
    const last = intents.at(-1);
    return last === undefined ? this.recorded.get(name) === true : last === "hold";
  }

  /** All that follows without anybody doing anything. */
  private settle(): void {
    for (let isNews = true; isNews; ) {
      isNews = false;
      for (const stage of this.stages.filter(({ name }) => !this.isFrozen(name))) {
        if (stage.passage) isNews = this.passOn(stage) || isNews;
        else if (stage.auto) isNews = this.autoPromote(stage) || isNews;
      }
    }
  }

  private passOn(stage: ModelStage): boolean {
    const fresh = this.freight.filter(
      (freight) => this.isAvailable(stage, freight) && !this.verified.has(`${freight} ${stage.name}`),
    );
    for (const freight of fresh) this.verified.add(`${freight} ${stage.name}`);
    return fresh.length > 0;
  }

  private autoPromote(stage: ModelStage): boolean {
    const candidate = this.candidate(stage);
    if (candidate === undefined || this.isHeld(stage.name) || this.held.get(stage.name) === candidate)
      return false;
    const own = this.promotions.filter((one) => one.stage === stage.name && one.freight === candidate);
    if (this.active(stage.name).some(({ freight }) => freight === candidate)) return false;
    const newest = own.at(-1);
    if (newest !== undefined && newest.phase !== "Succeeded") return false;
    this.promotions.push({ stage: stage.name, freight: candidate, phase: "Pending" });
    return true;
  }
}
