export interface FreightOrigin {
  kind: "Warehouse";
  name: string;
}

export interface GitCommit {
  repoURL: string;
  id?: string;
  branch?: string;
  tag?: string;
  message?: string;
  author?: string;
  committer?: string;
  subscriptionName?: string;
}

export interface Image {
  repoURL: string;
  tag?: string;
  digest?: string;
  annotations?: Record<string, string>;
  subscriptionName?: string;
}

export interface Chart {
  repoURL: string;
  name?: string;
  version?: string;
  subscriptionName?: string;
}

/** Freight as stages and promotions carry it: its contents, without its life. */
export interface FreightReference {
  name: string;
  origin: FreightOrigin;
  commits?: GitCommit[];
  images?: Image[];
  charts?: Chart[];
}
