"""What attackers write, as sequences of words: data of `injection`.

A phrase is a row of items: `ignore|forget` any of these (`_` between the words of one), `IGNORE` any word of
that class, `~3` up to three words of any kind, a `?` behind an item: it may be missing, `!for|on` not followed
by any of these. Words are written as they are after folding: lower case, no accents, `don't` as `don t`.

Drawn from what is published: OWASP's cheat sheet on prompt injection, Greshake et al. (2023), Perez and Ribeiro
(2022), Shen et al. on jailbreaks in the wild (2023), and what was tried on our own demo.
"""

from __future__ import annotations

CLASSES = {
    # -- overriding: the verb, which orders, the orders
    "IGNORE": (
        "ignore|disregard|forget|override|bypass|overlook|neglect|abandon|discard|set_aside|throw_away|"
        "pay_no_attention_to|ignoriere|ignorier|ignorieren|vergiss|vergesse|vergessen|missachte|umgehe|verwirf|"
        "ignorez|ignorer|oublie|oubliez|oublier|ne_tiens_pas_compte|ne_tiens_plus_compte|ne_tenez_pas_compte|"
        "ne_tenez_plus_compte|fais_abstraction|faites_abstraction|ne_respecte_pas|ne_suis_pas|ignora|ignorad|"
        "ignorar|olvida|olvide|olvidate|olviden|haz_caso_omiso|haga_caso_omiso|no_tengas_en_cuenta|no_sigas|"
        "descarta|ignorate|ignori|ignorare|dimentica|dimenticate|dimenticare|non_seguire|non_tenere_conto|negeer|"
        "negeren|vergeet|vergeten|sla_over|volg_niet|esqueca|esquece|desconsidere|desconsidera|desrespeite|"
        "nao_siga|игнорируй|игнорируйте|проигнорируй|забудь|забудьте|не_следуй|не_обращай_внимания_на"
    ),
    "NOTFOLLOW": (
        "do_not_follow|don_t_follow|dont_follow|stop_following|no_longer_follow|never_follow|do_not_obey|"
        "don_t_obey|stop_obeying|do_not_adhere_to|don_t_adhere_to|do_not_comply_with|befolge_nicht|folge_nicht"
    ),
    "WHICH": (
        "previous|prior|above|earlier|preceding|foregoing|initial|original|existing|current|all|any|every|your|"
        "its|system|these|those|other|safety|developer|bisherigen|vorherigen|vorigen|obigen|fruheren|"
        "vorstehenden|vorangegangenen|alle|allen|deine|deiner|deinen|ursprunglichen|samtliche|precedentes|"
        "precedents|precedente|anterieures|toutes|tous|tes|vos|initiales|todas|todos|tus|sus|anteriores|previas|"
        "tutte|tue|tuoi|precedenti|vorige|eerdere|bovenstaande|voorgaande|je|jouw|suas|teus|tuas|все|твои|"
        "предыдущие|прошлые|прежние|свои|прошлых"
    ),
    "BEHIND": (
        "above|before|previously|earlier|so_far|you_were_given|you_have_been_given|you_got|you_received|"
        "precedentes|anterieures|ci_dessus|anteriores|previas|de_arriba|precedenti|di_cui_sopra|qui_sopra|acima|"
        "hierboven|oben|выше|given_to_you|des_developpeurs|del_sistema|di_sistema|do_sistema|du_systeme"
    ),
    "ORDERS": (
        "instruction|instructions|direction|directions|directive|directives|rule|rules|prompt|prompts|guideline|"
        "guidelines|command|commands|constraints|restrictions|programming|policies|guidance|training|guardrails|"
        "safeguards|protocols|limitations|system_message|anweisungen|anweisung|instruktionen|regeln|vorgaben|"
        "befehle|richtlinien|vorschriften|anordnungen|systemvorgaben|systemanweisungen|consignes|regles|ordres|"
        "instrucciones|reglas|indicaciones|ordenes|directrices|normas|istruzioni|regole|direttive|indicazioni|"
        "instructies|regels|opdrachten|richtlijnen|aanwijzingen|instrucoes|regras|diretrizes|orientacoes|ordens|"
        "comandos|инструкции|инструкций|указания|указаний|правила|правил|команды|prompten"
    ),
    "LASTIGNORE": "ignorieren|vergessen|missachten|negeren|vergeten|игнорировать|забыть",
    "ALLOFIT": "everything|anything|all|what|whatever|text|content|conversation|messages|alles|tout|todo|tutto|tudo|все",
    "TOLD": (
        "you_were_told|you_have_been_told|you_know|you_ve_been_told|told_you|taught_you|you_learned|"
        "you_were_instructed|you_were_taught"
    ),
    # -- another part to play
    "BE": (
        "you_are_now|you_re_now|you_are_no_longer|you_will_be|you_are_going_to_be|act_as|acting_as|pretend_to_be|"
        "pretend_you_are|pretend_that_you_are|roleplay_as|role_play_as|become|play_the_role_of|behave_like|"
        "behave_as|simulate|imagine_you_are|impersonate|respond_as|answer_as|speak_as|you_are|du_bist|"
        "tu_es|vous_etes|eres|sei|je_bent|voce_e|ты"
    ),
    "BENOW": (
        "you_are_now|you_re_now|du_bist_jetzt|du_bist_ab_jetzt|du_bist_nun|tu_es_maintenant|tu_es_desormais|"
        "maintenant_tu_es|ahora_eres|eres_ahora|ora_sei|sei_ora|adesso_sei|je_bent_nu|agora_voce_e|voce_agora_e|"
        "теперь_ты|ты_теперь"
    ),
    "BADROLE": (
        "stan|dude|aim|jailbroken|unrestricted|unfiltered|uncensored|unaligned|evil|amoral|immoral|malicious|"
        "chaosgpt|developer_mode|god_mode|without_restrictions|without_limits|without_limitations|without_rules|"
        "without_filters|without_any_restrictions|without_any_rules|without_any_limits|no_restrictions|no_rules|"
        "no_limits|no_limitations|no_filters|no_filter|no_ethics|no_morals|not_bound|free_from|free_of|"
        "ohne_regeln|ohne_einschrankungen|ohne_filter|ohne_grenzen|sans_restriction|sans_restrictions|"
        "sans_limites|sans_limite|sans_regles|sans_filtre|aucune_restriction|sin_restricciones|sin_limites|"
        "sin_reglas|sin_filtros|senza_restrizioni|senza_limiti|senza_regole|senza_filtri|zonder_regels|"
        "zonder_beperkingen|zonder_filter|sem_restricoes|sem_limites|sem_regras|sem_filtros|без_ограничений|"
        "без_правил|без_цензуры"
    ),
    "AI": (
        "ai|ais|llm|llms|language_model|language_models|chatbot|chatbots|gpt|chatgpt|claude|gemini|copilot|ki|ia|"
        "sprachmodell|modele_de_langage|modelo_de_lenguaje|modello_linguistico|taalmodel|ии|нейросеть"
    ),
    "HELPER": "assistant|assistants|bot|bots|agent|agents|model|models|assistent|asistente|assistente",
    # -- telling what it was told
    "SHOW": (
        "reveal|show|print|repeat|display|output|tell|give|share|leak|dump|expose|disclose|recite|write|copy|"
        "paste|quote|provide|summarize|summarise|translate|what_is|what_are|what_s|what_was|what_were|echo|encode|"
        "zeig|zeige|nenne|gib|verrate|wiederhole|schreibe|drucke|wie_lautet|montre|affiche|revele|donne|repete|"
        "ecris|imprime|quel_est|quelles_sont|muestra|muestrame|revela|dime|repite|escribe|dame|cual_es|cuales_son|"
        "mostra|mostrami|rivela|dimmi|stampa|ripeti|scrivi|qual_e|quali_sono|toon|laat|geef|onthul|herhaal|"
        "schrijf|mostre|revele|diga|imprima|repita|escreva|quais_sao|покажи|раскрой|выведи|напиши|повтори|скажи"
    ),
    "REPEAT": "repeat|print|output|recite|copy|reproduce|echo|dump|wiederhole|repete|repite|ripeti|herhaal|repita|повтори",
    "PROMPT": (
        "system_prompt|system_prompts|system_message|system_instructions|initial_prompt|initial_instructions|"
        "original_instructions|original_prompt|hidden_instructions|hidden_prompt|hidden_rules|secret_instructions|"
        "secret_prompt|internal_instructions|internal_prompt|base_prompt|developer_message|developer_prompt|"
        "preprompt|pre_prompt|metaprompt|your_prompt|systemprompt|deinen_prompt|internen_prompt|internen_anweisungen|"
        "geheimen_anweisungen|prompt_systeme|ton_prompt|instructions_systeme|instructions_cachees|tu_prompt|"
        "prompt_del_sistema|prompt_de_sistema|instrucciones_del_sistema|instrucciones_ocultas|prompt_di_sistema|"
        "tuo_prompt|istruzioni_di_sistema|istruzioni_nascoste|systeemprompt|systeeminstructies|prompt_do_sistema|"
        "seu_prompt|instrucoes_do_sistema|instrucoes_ocultas|systemanweisung|systemanweisungen|systemvorgaben|"
        "системный_промпт|системные_инструкции|системную_подсказку|скрытые_инструкции"
    ),
    "EXACTLY": "verbatim|word_for_word|exactly|in_full|letter_by_letter|unmodified|code_block|as_is|in_their_entirety",
    # -- data that goes elsewhere
    "SEND": (
        "send|forward|post|email|mail|upload|transmit|exfiltrate|submit|append|deliver|sende|schicke|leite|envoie|"
        "envoyez|envia|invia|stuur|envie|отправь"
    ),
    "HELD": (
        "conversation|chat_history|chat_log|conversation_history|message_history|transcript|user_data|"
        "customer_data|personal_data|user_s|users|customers|customer_s|passwords|credentials|api_key|api_keys|"
        "secrets|system_prompt|card_number|card_details|credit_card|environment_variables|session_token|cookies|"
        "kundendaten|unterhaltung|gesprach|passworter|donnees|conversacion|contrasenas|dati|wachtwoorden|dados|senhas"
    ),
    "USERS": "user|users|customer|customers|human|humans|anyone|anybody|benutzer|nutzer|utilisateur|usuario|utente|gebruiker",
}

#: family → (weight, phrase). A weight is how sure one such phrase alone makes.
PHRASES: dict[str, tuple[tuple[float, str], ...]] = {
    "overrides instructions": (
        (0.75, "IGNORE ~3 WHICH ~2 ORDERS"),
        (0.75, "IGNORE ~3 ORDERS ~2 BEHIND"),
        (0.75, "NOTFOLLOW ~3 ORDERS"),
        (0.7, "WHICH ~2 ORDERS ~1 LASTIGNORE"),
        (
            0.65,
            "IGNORE ~2 ALLOFIT !i|we|my ~3 above|before|previously|prior|so_far|oben|hierboven|arriba|sopra|acima",
        ),
        (0.6, "IGNORE ~2 ALLOFIT ~2 TOLD"),
        (0.4, "IGNORE the? above|foregoing|preceding|obige|previous_text"),
        (
            0.65,
            "IGNORE ~1 above and|then ~2 say|print|tell|write|answer|output|respond|reply|reveal|do|translate",
        ),
        (0.55, "previous|prior|earlier|original|your ~1 ORDERS ~2 no_longer|do_not|don_t apply|count|matter"),
        (
            0.55,
            "your|system ~1 ORDERS ~2 cancelled|void|obsolete|overridden|superseded|revoked|suspended|deactivated",
        ),
        (0.45, "cancel|delete|erase|drop|skip|remove|reset ~2 previous|prior|your|system|safety ~2 ORDERS"),
        (
            0.55,
            "bypass|disable|deactivate|circumvent|evade|turn_off|switch_off ~2 safety|content|moderation|ethical|your ~2 ORDERS|filter|filters|checks",
        ),
        (
            0.5,
            "safety|security|content|ethical ~2 filters|protocols|checks|guidelines|measures ~1 disabled|off|deactivated|lifted",
        ),
        (0.55, "system_override|admin_override|override_mode|override_code|override_protocol"),
    ),
    "gives new orders": (
        (
            0.55,
            "your_new|your_real|your_actual|your_true ~1 instructions|task|role|goal|objective|job|purpose|mission|rules|instruction|identity",
        ),
        (0.45, "your_only|your_sole ~1 task|role|goal|objective|job|purpose|mission"),
        (
            0.4,
            "new|updated|real|secret|hidden system? instructions|directive|directives|task|prompt !for|to_the|on|from",
        ),
        (
            0.4,
            "from_now_on|ab_jetzt|ab_sofort|a_partir_de_maintenant|a_partir_de_ahora|d_ora_in_poi|vanaf_nu|a_partir_de_agora ~2 you_will|you_must|you_are|you_should|answer|respond|act|behave|speak|antworte|tu_es|reponds|eres|responde|rispondi|antwoord",
        ),
        (0.45, "obey me|my|every|the_following|these|this"),
        (0.35, "you_must|you_will ~1 obey|comply"),
        (
            0.3,
            "respond|reply|answer|respond_with|reply_with|antworte|reponds|responde|rispondi|antwoord only|just|nur|uniquement|solo|alleen|apenas",
        ),
        (0.3, "instead ~1 say|output|print|write|respond|reply|answer|tell"),
        (0.3, "begin|start your response|answer|reply|message with"),
        (0.4, "say|print|output|write|reply|respond|answer ~2 pwned|hacked|haxor|owned"),
        (
            0.35,
            "no_matter_what|regardless_of|whatever|contrary_to ~3 other|previous|instructions|rules|documents|say|said|ask|asks",
        ),
        (
            0.55,
            "document|page|text|note|message|article|file overrides|replaces|supersedes|cancels ~3 ORDERS|documents|sources",
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
            "without|no|free_from|any|not_bound_by|ignoring|freed_from ~1 ethical|moral|content|safety ~1 guidelines|restrictions|limits|limitations|constraints|rules|filters|considerations|principles|boundaries",
        ),
        (
            0.55,
            "AI|assistant|answer|answers|respond|responds|reply|speak ~4 without|no|ohne|sans|sin|senza|zonder|sem ~1 restrictions|limitations|limits|filters|filter|censorship|guardrails|constraints|rules|ethics|morals|regeln|regles|reglas|regole|regels|regras",
        ),
        (
            0.6,
            "typical_confines|confines_of_ai|broken_free|freed_from ~3 ai|rules|restrictions|limits|confines",
        ),
        (0.3, "BENOW"),
        (0.3, "act_as|acting_as|roleplay|role_play|role_playing"),
        (
            0.35,
            "pretend_to_be|pretend_you|pretend_that_you|imagine_you_are|play_the_role_of|tu_so_als|fais_comme_si|haz_como_si|fai_finta|doe_alsof|finja",
        ),
        (0.35, "stay_in_character|break_character|never_refuse|cannot_refuse|can_t_refuse|never_say_no"),
        (0.4, "jailbreak|jailbroken"),
        (0.35, "you_have_no|you_don_t_have ~1 restrictions|limits|rules|limitations|filters|ethics"),
    ),
    "asks for its instructions": (
        (0.7, "SHOW ~4 PROMPT"),
        (
            0.35,
            "system_prompt|systemprompt|prompt_systeme|prompt_del_sistema|systeemprompt|prompt_di_sistema|prompt_do_sistema",
        ),
        (
            0.6,
            "SHOW ~4 your|deine|tes|tus|tue|je|suas instructions|prompt|rules|guidelines|configuration|directives|anweisungen|regeln|consignes|regles|instrucciones|reglas|istruzioni|instructies|regels|instrucoes ~4 EXACTLY",
        ),
        (
            0.5,
            "reveal|print|leak|dump|expose|disclose|recite|output|verrate|revele|revela|rivela|onthul ~3 your|deine|tes|tus|tue|je|suas ~1 ORDERS|configuration !for|on|about|regarding|zu|pour|para|per|voor",
        ),
        (
            0.6,
            "REPEAT ~3 everything|all|words|text|content|lines|sentences|messages|alles|tout|todo|tutto ~2 above|oben|dessus|arriba|sopra|hierboven|acima",
        ),
        (0.4, "translate|summarize|summarise|encode everything|all|words|text|lines ~3 above"),
        (0.55, "starting_with|beginning_with|begins_with|starts_with you_are"),
        (
            0.5,
            "what|which ~2 instructions|rules|guidelines|prompt were|have|did|are you ~1 given|told|receive|received|got|get|been",
        ),
        (
            0.5,
            "what ~2 were you told|instructed|asked ~3 before|above|initially|originally|first|developer|developers|system",
        ),
        (
            0.5,
            "SHOW ~3 admin|root|database|other_customers|all_customers|all_users|other_users ~2 password|passwords|credentials|data|orders|addresses|emails|records|key|keys",
        ),
        (
            0.4,
            "SHOW ~2 your|all|environment|stored api_key|api_keys|secrets|credentials|environment_variables|access_tokens|passwords",
        ),
    ),
    "speaks to the AI": (
        (
            0.6,
            "note|message|instruction|instructions|attention|notice|reminder|command|information|hinweis|anweisung|nachricht|consigne|nota|aviso|mensaje|istruzione|instrucao|opmerking|instructie|вниманию|инструкция to|for|an|fur|die|pour|a|para|per|aan|voor|для ~2 AI",
        ),
        (
            0.45,
            "note|message|instruction|instructions|attention|notice|reminder|command|hinweis|anweisung|consigne|nota|aviso to|for|to_all|an|fur|pour|para|per|voor ~2 HELPER",
        ),
        (
            0.6,
            "if_you_are|if_you_re|as|falls_du|wenn_du|si_tu_es|si_eres|se_sei|als_je ~2 AI|assistant|model ~2 reading|processing|summarizing|summarising|parsing|analyzing|analysing|reads|liest|bist|qui|que",
        ),
        (0.5, "if_you_are|if_you_re|si_tu_es|si_eres|se_sei|als_je ~1 AI"),
        (
            0.55,
            "AI|HELPER that|which|who|reading|processing ~2 read|reads|process|processes|processing|summarize|summarizes|this|index|indexes",
        ),
        (0.5, "AI ~1 must|should|shall|has_to|have_to|need_to|needs_to"),
        (0.35, "HELPER must|shall|are_required_to|is_required_to|are_instructed_to|is_instructed_to"),
        (0.35, "attention|dear|hey|hello|to_all|to_any|achtung|atencion|attenzione AI|assistant|assistants"),
        (
            0.5,
            "when|whenever|if ~2 user|users ~3 ask|asks|asked|wants|requests|inquires|mentions|says ~8 answer|say|reply|respond|tell|recommend|give|always|never|include",
        ),
        (0.45, "when|whenever|if ~2 you_are_asked|asked|questioned about|for|how ~6 always|never|only"),
        (
            0.35,
            "when|whenever|if ~2 customer|customers|anyone|someone ~2 ask|asks|wants|requests|inquires ~8 say|reply|respond|tell|always|never",
        ),
        (0.3, "always ~1 answer|say|reply|respond|recommend|mention|include"),
        (
            0.35,
            "in|into ~1 your ~1 next? answer|response|reply|summary ~3 include|mention|add|recommend|insert|link",
        ),
        (0.35, "include|mention|add|insert ~5 in_your|to_your answer|response|reply|summary"),
    ),
    "sends data elsewhere": (
        (
            0.6,
            "SEND ~5 HELD ~4 to|an|a|naar|para http|https|www|attacker|url|endpoint|server|webhook|following",
        ),
        (0.45, "SEND ~5 HELD ~3 to|an|a|naar|para"),
        (
            0.5,
            "SEND ~2 your|their|his|her ~2 card|card_number|card_details|password|pin|credit_card|bank_details|cvc|cvv|passport ~3 to|by|via",
        ),
        (0.45, "SEND|include|embed|encode ~4 HELD ~4 in|into|as ~2 url|link|image|query|parameter|request"),
    ),
    "wants it kept secret": (
        (
            0.55,
            "do_not|don_t|dont|never|without ~1 tell|telling|inform|informing|alert|alerting|notify|notifying|let|warn|warning ~1 user|users|human|humans",
        ),
        (
            0.35,
            "do_not|don_t|dont|never|without ~1 tell|telling|inform|informing|mention|mentioning|notify|notifying ~3 customer|customers|anyone|anybody|it|this",
        ),
        (
            0.55,
            "do_not|don_t|dont|never|without ~1 mention|mentioning|reveal|revealing|refer|acknowledge|disclose|disclosing ~2 this|these|those ~1 instruction|instructions|note|message|text|comment|command|prompt|orders",
        ),
        (0.45, "keep|hide ~3 secret|hidden|confidential|from ~1 from? user|users|human"),
        (0.5, "sag|sage|verrate|dis|digas|diga|dire|vertel|zeg ~3 USERS nichts|nicht|rien|nada|niente|niets"),
        (0.5, "ne_dis|ne_dites|no_le_digas|no_digas|non_dire|nao_diga|nao_conte|vertel ~4 USERS"),
    ),
    "wants tools used": (
        (0.45, "call|invoke|execute|trigger ~3 tool|function|api|plugin|command"),
        (
            0.4,
            "use|run ~2 tool|function|plugin ~3 to|with delete|send|transfer|refund|issue|approve|email|read|fetch",
        ),
        (0.4, "run|execute ~2 following|this|these ~1 command|commands|code|script|sql|query"),
        (0.35, "without ~1 asking|confirmation|confirming|approval|verification|verifying|checking|checks"),
        (0.35, "do_not|don_t ~1 ask ~1 for confirmation|approval|permission"),
        (
            0.45,
            "approve|grant|issue ~2 every|all|full|any ~2 refund|refunds|request|requests ~3 without|regardless|immediately|no_questions|automatically",
        ),
        (0.4, "rm_rf|drop_table|os_system|subprocess|curl_http|curl_https|transfer_funds"),
    ),
}

#: Scripts that put no spaces between words, as regular expressions over the folded text.
UNSPACED: tuple[tuple[float, str, str], ...] = (
    (
        0.75,
        "overrides instructions",
        "(?:忽略|无视|無視|忘记|忘記|忘掉|不要遵守|不要理会|不要遵循|忽視|抛弃).{0,8}(?:之前|以上|上面|上述|先前|前面|所有|全部|一切|你的|系统|系統).{0,8}(?:指令|指示|说明|說明|提示|规则|規則|要求|命令|内容|內容|设定)",
    ),
    (
        0.75,
        "overrides instructions",
        "(?:これまで|以前|以上|上記|上の|前の|すべて|全て|今まで|あなたの).{0,12}(?:指示|命令|ルール|規則|プロンプト|制約|設定).{0,8}(?:無視|忘れ|破棄|従わな)",
    ),
    (
        0.75,
        "overrides instructions",
        "(?:이전|위의|모든|앞의|지금까지).{0,10}(?:지시|명령|규칙|지침|프롬프트).{0,10}(?:무시|잊어)",
    ),
    (
        0.65,
        "asks for its instructions",
        "(?:显示|顯示|告诉|告訴|输出|輸出|透露|打印|重复|重複|说出|說出|给我|翻译|是什么).{0,10}(?:系统提示|系統提示|提示词|提示詞|系统指令|初始指令)",
    ),
    (
        0.65,
        "asks for its instructions",
        "(?:システムプロンプト|内部の指示|初期指示|隠された指示).{0,10}(?:表示|教え|出力|見せ|開示|繰り返)",
    ),
    (0.6, "asks for its instructions", "(?:시스템 ?프롬프트).{0,10}(?:보여|알려|출력|공개)"),
    (
        0.6,
        "gives it another part to play",
        "(?:你现在是|你現在是|从现在开始你是|扮演).{0,16}(?:没有|沒有|不受|无).{0,6}(?:限制|约束|約束|规则|規則|审查)",
    ),
    (
        0.6,
        "gives it another part to play",
        "(?:あなたは今|今から|これから).{0,20}(?:制限のない|制限なし|制限がない|ルールのない)",
    ),
    (
        0.5,
        "wants it kept secret",
        "(?:不要告诉|不要告訴|别告诉).{0,4}(?:用户|用戶)|ユーザー.{0,6}(?:言わないで|知らせないで|伝えないで)",
    ),
)
