"""What attackers write, as sequences of words: data of `injection`.

A phrase is a row of items: `ignore|forget` any of these (`_` between the words of one), `IGNORE` any word of
that class of `injection_words`, `~3` up to three words of any kind, a `?` behind an item: it may be missing,
`!for|on` not followed by any of these. Words are as they are after folding: `don't` is `don t`.

Drawn from what is published: OWASP's cheat sheet on prompt injection, Greshake et al. (2023), Perez and
Ribeiro (2022), Shen et al. on jailbreaks in the wild (2023), and what was tried on our own demo.
"""

from __future__ import annotations

#: family → (weight, phrase). A weight is how sure one such phrase alone makes.
PHRASES: dict[str, tuple[tuple[float, str], ...]] = {
    "overrides instructions": (
        (0.75, "IGNORE ~3 WHICH ~2 ORDERS"),
        (0.75, "IGNORE ~3 ORDERS ~2 BEHIND"),
        (0.75, "NOTFOLLOW ~3 ORDERS"),
        (0.7, "IGNORE ~2 PROMPT"),
        (0.7, "WHICH ~2 ORDERS ~1 LASTIGNORE"),
        (
            0.65,
            "IGNORE ~2 ALLOFIT !i|we|my ~3 above|before|previously|prior|so_far|oben|hierboven|"
            "arriba|sopra|acima",
        ),
        (0.6, "IGNORE ~2 ALLOFIT ~2 TOLD"),
        (0.4, "IGNORE the? above|foregoing|preceding|obige|previous_text"),
        (
            0.65,
            "IGNORE ~1 above and|then ~2 say|print|tell|write|answer|output|respond|reply|reveal|"
            "do|translate",
        ),
        (0.55, "previous|prior|earlier|original|your ~1 ORDERS ~2 no_longer|do_not|don_t apply|count|matter"),
        (
            0.55,
            "your|system ~1 ORDERS ~2 cancelled|void|obsolete|overridden|superseded|revoked|"
            "suspended|deactivated",
        ),
        (0.45, "cancel|delete|erase|drop|skip|remove|reset ~2 previous|prior|your|system|safety ~2 ORDERS"),
        (
            0.55,
            "bypass|disable|deactivate|circumvent|evade|turn_off|switch_off ~2 safety|content|"
            "moderation|ethical|your ~2 ORDERS|filter|filters|checks",
        ),
        (
            0.5,
            "safety|security|content|ethical ~2 filters|protocols|checks|guidelines|measures ~1 "
            "disabled|off|deactivated|lifted",
        ),
        (0.55, "system_override|admin_override|override_mode|override_code|override_protocol"),
    ),
    "gives new orders": (
        (
            0.55,
            "your_new|your_real|your_actual|your_true ~1 instructions|task|role|goal|objective|job|"
            "purpose|mission|rules|instruction|identity",
        ),
        (0.45, "your_only|your_sole ~1 task|role|goal|objective|job|purpose|mission"),
        (
            0.4,
            "new|updated|real|secret|hidden system? instructions|directive|directives|task|prompt "
            "!for|to_the|on|from",
        ),
        (
            0.4,
            "from_now_on|ab_jetzt|ab_sofort|a_partir_de_maintenant|a_partir_de_ahora|d_ora_in_poi|"
            "vanaf_nu|a_partir_de_agora ~2 you_will|you_must|you_are|you_should|answer|respond|act|"
            "behave|speak|antworte|tu_es|reponds|eres|responde|rispondi|antwoord",
        ),
        (
            0.55,
            "from_now_on ~2 you_must|you_will|you_shall ~1 obey|answer|respond|reply|act|behave|"
            "speak|only|always|ignore",
        ),
        (0.45, "obey me|my|every|the_following|these|this"),
        (0.35, "you_must|you_will ~1 obey|comply"),
        (
            0.3,
            "respond|reply|answer|respond_with|reply_with|antworte|reponds|responde|rispondi|"
            "antwoord only|just|nur|uniquement|solo|alleen|apenas",
        ),
        (0.3, "instead ~1 say|output|print|write|respond|reply|answer|tell"),
        (0.3, "begin|start your response|answer|reply|message with"),
        (0.4, "say|print|output|write|reply|respond|answer ~2 pwned|hacked|haxor|owned"),
        (
            0.35,
            "no_matter_what|regardless_of|whatever|contrary_to ~3 other|previous|instructions|"
            "rules|documents|say|said|ask|asks",
        ),
        (
            0.55,
            "document|page|text|note|message|article|file overrides|replaces|supersedes|cancels ~3 "
            "ORDERS|documents|sources",
        ),
        (0.25, "i_am|i_m|as ~1 your|the|an developer|creator|administrator|admin|owner"),
    ),
    "gives it another part to play": (
        (0.65, "BE ~4 BADROLE"),
        (0.65, "do_anything_now"),
        (0.6, "dan|jailbreak|god|unrestricted|sudo|opposite|chaos|evil mode"),
        (0.5, "as|be|called|named dan !from|at|in|on|and"),
        (0.4, "developer|debug|admin|maintenance|root|test mode ~2 enabled|activated|active|on|all|you"),
        (0.35, "enter|activate|switch_to|switch_into ~1 developer|debug|admin|maintenance|root mode"),
        (
            0.55,
            "without|no|free_from|any|not_bound_by|ignoring|freed_from ~1 ethical|moral|content|"
            "safety ~1 guidelines|restrictions|limits|limitations|constraints|rules|filters|"
            "considerations|principles|boundaries",
        ),
        (
            0.55,
            "AI|assistant|answer|answers|respond|responds|reply|speak ~4 without|no|ohne|sans|sin|"
            "senza|zonder|sem ~1 restrictions|limitations|limits|filters|filter|censorship|"
            "guardrails|constraints|rules|ethics|morals|regeln|regles|reglas|regole|regels|regras",
        ),
        (
            0.6,
            "typical_confines|confines_of_ai|broken_free|freed_from ~3 ai|rules|restrictions|limits|confines",
        ),
        (0.3, "BENOW"),
        (0.3, "act_as|acting_as|roleplay|role_play|role_playing"),
        (
            0.35,
            "pretend_to_be|pretend_you|pretend_that_you|imagine_you_are|play_the_role_of|tu_so_als|"
            "fais_comme_si|haz_como_si|fai_finta|doe_alsof|finja",
        ),
        (0.35, "stay_in_character|break_character|never_refuse|cannot_refuse|can_t_refuse|never_say_no"),
        (0.4, "jailbreak|jailbroken"),
        (0.35, "you_have_no|you_don_t_have ~1 restrictions|limits|rules|limitations|filters|ethics"),
    ),
    "asks for its instructions": (
        (0.7, "SHOW ~4 PROMPT"),
        (
            0.35,
            "system_prompt|systemprompt|prompt_systeme|prompt_del_sistema|systeemprompt|"
            "prompt_di_sistema|prompt_do_sistema",
        ),
        (
            0.6,
            "SHOW ~4 your|deine|tes|tus|tue|je|suas instructions|prompt|rules|guidelines|"
            "configuration|directives|anweisungen|regeln|consignes|regles|instrucciones|reglas|"
            "istruzioni|instructies|regels|instrucoes ~4 EXACTLY",
        ),
        (
            0.5,
            "reveal|print|leak|dump|expose|disclose|recite|output|verrate|revele|revela|rivela|"
            "onthul ~3 your|deine|tes|tus|tue|je|suas ~1 ORDERS|configuration !for|on|about|"
            "regarding|zu|pour|para|per|voor",
        ),
        (
            0.6,
            "REPEAT ~3 everything|all|words|text|content|lines|sentences|messages|alles|tout|todo|"
            "tutto ~2 above|oben|dessus|arriba|sopra|hierboven|acima",
        ),
        (0.4, "translate|summarize|summarise|encode everything|all|words|text|lines ~3 above"),
        (0.55, "starting_with|beginning_with|begins_with|starts_with you_are"),
        (
            0.5,
            "what|which ~2 instructions|rules|guidelines|prompt were|have|did|are you ~1 given|"
            "told|receive|received|got|get|been",
        ),
        (
            0.5,
            "what ~2 were you told|instructed|asked ~3 before|above|initially|originally|first|"
            "developer|developers|system",
        ),
        (
            0.5,
            "SHOW ~3 admin|root|database|other_customers|all_customers|all_users|other_users ~2 "
            "password|passwords|credentials|data|orders|addresses|emails|records|key|keys",
        ),
        (0.55, "SHOW ~2 password|passwords|credentials ~2 of|for ~1 other|all|every|admin|admins"),
        (
            0.55,
            "dump|leak|expose|exfiltrate|reveal ~2 your|all|environment|stored ~1 api_key|api_keys|"
            "secrets|credentials|environment_variables|variables|access_tokens|passwords",
        ),
        (
            0.4,
            "SHOW ~2 your|all|environment|stored api_key|api_keys|secrets|credentials|"
            "environment_variables|access_tokens|passwords",
        ),
    ),
    "speaks to the AI": (
        (
            0.6,
            "note|message|instruction|instructions|attention|notice|reminder|command|information|"
            "hinweis|anweisung|nachricht|consigne|nota|aviso|mensaje|istruzione|instrucao|"
            "opmerking|instructie|вниманию|инструкция to|for|an|fur|die|pour|a|para|per|aan|voor|"
            "для ~2 AI",
        ),
        (
            0.45,
            "note|message|instruction|instructions|attention|notice|reminder|command|hinweis|"
            "anweisung|consigne|nota|aviso to|for|to_all|an|fur|pour|para|per|voor ~2 assistant|"
            "assistants|bot|bots|agent|agents|assistent|asistente|assistente",
        ),
        (
            0.6,
            "if_you_are|if_you_re|as|falls_du|wenn_du|si_tu_es|si_eres|se_sei|als_je ~2 AI|"
            "assistant|model ~2 reading|processing|summarizing|summarising|parsing|analyzing|"
            "analysing|reads|liest|bist|qui|que",
        ),
        (0.5, "if_you_are|if_you_re|si_tu_es|si_eres|se_sei|als_je ~1 AI"),
        (
            0.55,
            "AI|HELPER that|which|who|reading|processing ~2 read|reads|process|processes|"
            "processing|summarize|summarizes|this|index|indexes",
        ),
        (0.5, "AI ~1 must|should|shall|has_to|have_to|need_to|needs_to"),
        (0.35, "HELPER must|shall|are_required_to|is_required_to|are_instructed_to|is_instructed_to"),
        (0.55, "attention|to_all|to_any|achtung|atencion|attenzione ~1 AI"),
        (0.4, "dear|hey|hello AI"),
        (0.35, "attention|dear|to_all|to_any assistant|assistants"),
        (
            0.5,
            "when|whenever|if ~2 user|users ~3 ask|asks|asked|wants|requests|inquires|mentions|"
            "says ~8 answer|say|reply|respond|tell|recommend|give|always|never|include",
        ),
        (0.45, "when|whenever|if ~2 you_are_asked|asked|questioned about|for|how ~6 always|never|only"),
        (
            0.35,
            "when|whenever|if ~2 customer|customers|anyone|someone ~2 ask|asks|wants|requests|"
            "inquires ~8 say|reply|respond|tell|always|never",
        ),
        (0.3, "always ~1 answer|say|reply|respond|recommend|mention|include"),
        (
            0.35,
            "in|into ~1 your ~1 next? answer|response|reply|summary ~3 include|mention|add|"
            "recommend|insert|link",
        ),
        (0.35, "include|mention|add|insert ~5 in_your|to_your answer|response|reply|summary"),
    ),
    "sends data elsewhere": (
        (
            0.6,
            "SEND ~5 HELD ~4 to|an|a|naar|para ~2 http|https|www|attacker|url|endpoint|server|"
            "webhook|following",
        ),
        (0.45, "SEND ~5 HELD ~3 to|an|a|naar|para"),
        (
            0.5,
            "SEND ~2 your|their|his|her ~2 card|card_number|card_details|password|pin|credit_card|"
            "bank_details|cvc|cvv|passport ~3 to|by|via",
        ),
        (0.45, "SEND|include|embed|encode ~4 HELD ~4 in|into|as ~2 url|link|image|query|parameter|request"),
    ),
    "wants it kept secret": (
        (
            0.55,
            "do_not|don_t|dont|never|without ~1 tell|telling|inform|informing|alert|alerting|"
            "notify|notifying|let|warn|warning ~1 user|users|human|humans",
        ),
        (
            0.35,
            "do_not|don_t|dont|never|without ~1 tell|telling|inform|informing|mention|mentioning|"
            "notify|notifying ~3 customer|customers|anyone|anybody|it|this",
        ),
        (
            0.55,
            "do_not|don_t|dont|never|without ~1 mention|mentioning|reveal|revealing|refer|"
            "acknowledge|disclose|disclosing ~2 this|these|those ~1 instruction|instructions|note|"
            "message|text|comment|command|prompt|orders",
        ),
        (0.55, "keep|hide ~3 from ~1 user|users|human"),
        (0.5, "sag|sage|verrate|dis|digas|diga|dire|vertel|zeg ~3 USERS nichts|nicht|rien|nada|niente|niets"),
        (0.5, "ne_dis|ne_dites|no_le_digas|no_digas|non_dire|nao_diga|nao_conte|vertel ~4 USERS"),
    ),
    "wants tools used": (
        (0.45, "call|invoke|execute|trigger ~3 tool|function|api|plugin|command"),
        (
            0.4,
            "use|run ~2 tool|function|plugin ~3 to|with delete|send|transfer|refund|issue|approve|"
            "email|read|fetch",
        ),
        (0.4, "run|execute ~2 following|this|these ~1 command|commands|code|script|sql|query"),
        (
            0.45,
            "approve|grant|issue ~2 every|all|full|any ~2 refund|refunds|request|requests ~3 "
            "without|regardless|immediately|no_questions|automatically",
        ),
        (0.45, "rm_rf|drop_table|os_system|subprocess|curl_http|curl_https|transfer_funds"),
    ),
    "wants no questions asked": (
        (0.35, "without ~1 asking|confirmation|confirming|approval|verification|verifying|checking|checks"),
        (0.35, "do_not|don_t ~1 ask ~1 for confirmation|approval|permission"),
    ),
}

#: (weight, family, regular expression over the folded text) of scripts that put no spaces between words.
UNSPACED: tuple[tuple[float, str, str], ...] = (
    (
        0.75,
        "overrides instructions",
        r"(?:忽略|无视|無視|忘记|忘記|忘掉|不要遵守|不要理会|不要遵循|忽視|"
        r"抛弃).{0,8}(?:之前|以上|上面|上述|先前|前面|所有|全部|一切|你的|系统|"
        r"系統).{0,8}(?:指令|指示|说明|說明|提示|规则|規則|要求|命令|内容|內容|设定)",
    ),
    (
        0.75,
        "overrides instructions",
        r"(?:これまで|以前|以上|上記|上の|前の|すべて|全て|今まで|あなたの).{0,12}(?:指示|"
        r"命令|ルール|規則|プロンプト|制約|設定).{0,8}(?:無視|忘れ|破棄|従わな)",
    ),
    (
        0.75,
        "overrides instructions",
        r"(?:이전|위의|모든|앞의|지금까지).{0,10}(?:지시|명령|규칙|지침|"
        r"프롬프트).{0,10}(?:무시|잊어)",
    ),
    (
        0.65,
        "asks for its instructions",
        r"(?:显示|顯示|告诉|告訴|输出|輸出|透露|打印|重复|重複|说出|說出|给我|翻译|"
        r"是什么).{0,10}(?:系统提示|系統提示|提示词|提示詞|系统指令|初始指令)",
    ),
    (
        0.65,
        "asks for its instructions",
        r"(?:システムプロンプト|内部の指示|初期指示|隠された指示).{0,10}(?:表示|教え|出力|"
        r"見せ|開示|繰り返)",
    ),
    (
        0.6,
        "asks for its instructions",
        r"(?:시스템 ?프롬프트).{0,10}(?:보여|알려|출력|공개)",
    ),
    (
        0.6,
        "gives it another part to play",
        r"(?:你现在是|你現在是|从现在开始你是|扮演).{0,16}(?:没有|沒有|不受|"
        r"无).{0,6}(?:限制|约束|約束|规则|規則|审查)",
    ),
    (
        0.6,
        "gives it another part to play",
        r"(?:あなたは今|今から|これから).{0,20}(?:制限のない|制限なし|制限がない|"
        r"ルールのない)",
    ),
    (
        0.5,
        "wants it kept secret",
        r"(?:不要告诉|不要告訴|别告诉).{0,4}(?:用户|用戶)|ユーザー.{0,6}(?:言わないで|"
        r"知らせないで|伝えないで)",
    ),
)
