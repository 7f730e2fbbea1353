import type { FreightOrigin } from "#core/resources/freight.ts";

export interface FreightRequest {
  origin: FreightOrigin;
  sources: {
    direct?: boolean;
    stages?: string[];
    requiredSoakTime?: string;
    availabilityStrategy?: "" | "OneOf" | "All";
    autoPromotionOptions?: { selectionPolicy?: "NewestFreight" | "MatchUpstream" };
  };
}
